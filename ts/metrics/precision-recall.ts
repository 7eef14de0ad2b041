// How much of what was predicted is right, and how much of what is there was found.

import { ShapeError, typeError } from '../errors.js'
import { checkCount, checkNumber, checkOptions } from '../initializers/options.js'
import type { Tensor } from '../tensor/tensor.js'
import { madeOf } from './config.js'
import { type Measurement, Metric } from './metric.js'
import { checkName } from './name.js'
import { scoresClasses, tallyClasses, tallyThreshold } from './tally.js'

export interface PrecisionOptions {
  /** Judge this class alone. Default: the mean of all classes that occur. */
  classId?: number
  /**
   * Judge each element by itself: predictions above it mean yes. Default 0 (right for logits) where there is one
   * prediction for each label; with several classes, which are judged by the highest score, none.
   */
  threshold?: number
  /** The key in logs and histories. */
  name?: string
}

class Share extends Metric {
  constructor(
    name: string,
    /** Which count the right ones are a share of: 1 what was predicted, 2 what was labelled. */
    private readonly of: 1 | 2,
    private readonly classId: number | undefined,
    private readonly threshold: number | undefined,
  ) {
    super(name, 'higher')
  }

  measure(predictions: Tensor, labels: Tensor): Measurement {
    if (this.threshold !== undefined || !scoresClasses(predictions)) {
      if (this.classId !== undefined && this.threshold === undefined) {
        throw new ShapeError(
          `${this.name}: classId ${this.classId} needs predictions of several classes, [batch, classes]`,
        )
      }
      return tallyThreshold(this.name, predictions, labels, this.threshold ?? 0)
    }
    const classes = predictions.shape.at(-1)!
    if (this.classId !== undefined && this.classId >= classes) {
      throw new ShapeError(`${this.name}: there is no class ${this.classId}: the predictions have ${classes} classes`)
    }
    return tallyClasses(this.name, predictions, labels)
  }

  value(sums: readonly number[]): number {
    // Counts of elements come four at a time, those of classes three at a time: the first three mean the same.
    if (sums.length === 4) return this.share(sums, 0)
    if (this.classId !== undefined) return this.share(sums, this.classId)
    let [total, occurring] = [0, 0]
    for (let label = 0; 3 * label < sums.length; label++) {
      if (sums[3 * label + 1]! + sums[3 * label + 2]! === 0) continue
      total += this.share(sums, label)
      occurring++
    }
    return occurring === 0 ? 0 : total / occurring
  }

  private share(sums: readonly number[], label: number): number {
    const of = sums[3 * label + this.of]!
    return of === 0 ? 0 : sums[3 * label]! / of
  }
}

/**
 * Precision: right predictions of a class ÷ all predictions of it; 0 where it was never predicted. With several classes
 * `[…, classes]` the highest score is the prediction, and the result the mean over the classes that occur (macro
 * average) or, with `classId`, that of one class. With one prediction for each label, or with `threshold`, the class is
 * "yes".
 *
 * @example
 * ```ts
 * import { metrics, tensor } from 'ferrograd'
 * const precision = metrics.precision({ classId: 1 })
 * precision.update(tensor([[0, 1], [0, 1], [1, 0]]), tensor([1, 0, 1], { dtype: 'int32' }))
 * console.log(await precision.result()) // 0.5
 * ```
 */
export function precision(options: PrecisionOptions = {}): Metric {
  return build('precision', 1, options)
}

/**
 * Recall: right predictions of a class ÷ all labels of it; 0 where it never occurs. Classes and elements as for
 * {@link precision}.
 */
export function recall(options: PrecisionOptions = {}): Metric {
  return build('recall', 2, options)
}

function build(kind: string, of: 1 | 2, options: PrecisionOptions): Metric {
  const op = `metrics.${kind}`
  checkOptions(op, options, ['classId', 'threshold', 'name'])
  const { classId, threshold, name = kind } = options
  if (classId !== undefined) checkCount(op, 'classId', classId, 0)
  if (threshold !== undefined) {
    checkNumber(op, 'threshold', threshold)
    if (classId !== undefined) {
      throw typeError(
        `${op}: give classId, to judge one of several classes by the highest score, or threshold, to judge each element by itself`,
      )
    }
  }
  const metric = new Share(checkName(op, name), of, classId, threshold)
  return madeOf(metric, kind, { classId, threshold, name })
}
