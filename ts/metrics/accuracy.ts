// How often predictions are right.

import { checkCount, checkNumber, checkOptions } from '../initializers/options.js'
import type { Tensor } from '../tensor/tensor.js'
import { madeOf } from './config.js'
import { type Measurement, Metric } from './metric.js'
import { checkName } from './name.js'
import { scoresClasses, tallyHits, tallyThreshold } from './tally.js'

export interface AccuracyOptions {
  /**
   * Predictions above it mean yes, where each says yes or no. Default 0, which is right for logits, as the losses take
   * them; use 0.5 for probabilities.
   */
  threshold?: number
  /** The key in logs and histories. */
  name?: string
}

class Accuracy extends Metric {
  constructor(
    name: string,
    private readonly threshold: number,
    private readonly each: boolean,
  ) {
    super(name, 'higher')
  }

  measure(predictions: Tensor, labels: Tensor): Measurement {
    return this.each || !scoresClasses(predictions)
      ? tallyThreshold(this.name, predictions, labels, this.threshold)
      : tallyHits(this.name, predictions, labels, 1)
  }

  value(sums: readonly number[], count: number): number {
    // The last of four counts, or the only one, is how many were right.
    return sums.at(-1)! / count
  }
}

/**
 * The share of right predictions. Which kind is told from the shapes: `[…, classes]` with class indices `[…]` or one-hot
 * labels `[…, classes]` is right where the highest score (the first of equal ones) is the label's; one prediction for
 * each label `[N]` or `[N, 1]` is right where it is on the same side of `threshold` as the label is of one half.
 *
 * @example
 * ```ts
 * import { metrics, tensor } from 'ferrograd'
 * const accuracy = metrics.accuracy()
 * accuracy.update(tensor([[-3], [2], [1]]), tensor([[0], [1], [0]]))
 * console.log((await accuracy.result()).toFixed(3)) // 0.667
 * ```
 */
export function accuracy(options: AccuracyOptions = {}): Metric {
  return build('accuracy', options, false)
}

/**
 * The share of elements on the right side of `threshold`: for models that answer several yes-or-no questions at once,
 * predictions and labels of the same shape.
 */
export function binaryAccuracy(options: AccuracyOptions = {}): Metric {
  return build('binaryAccuracy', options, true)
}

function build(kind: string, options: AccuracyOptions, each: boolean): Metric {
  const op = `metrics.${kind}`
  checkOptions(op, options, ['threshold', 'name'])
  const { threshold = 0, name = kind } = options
  const metric = new Accuracy(checkName(op, name), checkNumber(op, 'threshold', threshold), each)
  return madeOf(metric, kind, { threshold, name })
}

export interface TopKAccuracyOptions {
  /** How many guesses are allowed. Default 5. */
  k?: number
  /** The key in logs and histories. Default 'topKAccuracy'. */
  name?: string
}

class TopKAccuracy extends Metric {
  constructor(
    name: string,
    private readonly k: number,
  ) {
    super(name, 'higher')
  }

  measure(predictions: Tensor, labels: Tensor): Measurement {
    return tallyHits(this.name, predictions, labels, this.k)
  }

  value(sums: readonly number[], count: number): number {
    return sums[0]! / count
  }
}

/** The share of rows whose label is among the `k` highest of the scores `[…, classes]`; of equal scores the first counts as higher. */
export function topKAccuracy(options: TopKAccuracyOptions = {}): Metric {
  checkOptions('metrics.topKAccuracy', options, ['k', 'name'])
  const { k = 5, name = 'topKAccuracy' } = options
  const metric = new TopKAccuracy(checkName('metrics.topKAccuracy', name), checkCount('metrics.topKAccuracy', 'k', k))
  return madeOf(metric, 'topKAccuracy', { k, name })
}
