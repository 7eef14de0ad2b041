// How a model is to be trained: which optimizer, which loss, and what to report.

import { ShapeError, show, typeError } from '../errors.js'
import { checkOptions, oneOf } from '../initializers/options.js'
import * as losses from '../losses/index.js'
import type { Metric } from '../metrics/metric.js'
import { type MetricName, resolveMetrics } from '../metrics/resolve.js'
import { mean, mul, reshape } from '../ops/index.js'
import { checkPrecision, type Precision } from '../ops/precision.js'
import { byName, type OptimizerName } from '../optimizers/by-name.js'
import { Optimizer } from '../optimizers/optimizer.js'
import { showShape } from '../tensor/shape.js'
import { checkTensor, Tensor } from '../tensor/tensor.js'
import { checkIdle } from './busy.js'
import type { Trainable } from './trainable.js'

const namedLosses = {
  softmaxCrossEntropy: losses.softmaxCrossEntropy,
  svm: losses.svm,
  meanSquaredError: losses.meanSquaredError,
  meanAbsoluteError: losses.meanAbsoluteError,
  binaryCrossEntropy: losses.binaryCrossEntropy,
  huber: losses.huber,
}

export type LossName = keyof typeof namedLosses

/**
 * A loss of one's own: predictions `[batch, …]` and labels in, one number out (the mean over the batch, shape `[]`), or
 * one value for each sample `[batch]` or more, of which the mean is taken.
 *
 * `options.weights` holds the weight of each sample where the user gave some. A loss with one number has to multiply
 * with them before it averages; for one value for each sample that is done, unless the loss reads the weights itself.
 */
export type LossFunction = (predictions: Tensor, labels: Tensor, options?: { weights?: Tensor }) => Tensor

export interface CompileOptions {
  /** A name, or one of `optimizers.*` with options. */
  optimizer: OptimizerName | Optimizer
  /** A name, or a function. */
  loss: LossName | LossFunction
  /** What to report beside the loss. Default none. */
  metrics?: readonly (MetricName | 'acc' | Metric)[]
  /**
   * How exact matrix products and convolutions must be, in training, judging and predicting. An op with an option of its own
   * keeps that. Default 'highest', or that of the model which this one is a layer of.
   */
  precision?: Precision | undefined
}

/** What `compile` has settled. */
export interface Compiled {
  readonly optimizer: Optimizer
  readonly loss: LossFunction
  /** The name of the loss; undefined for a function of the user's. */
  readonly lossName: LossName | undefined
  readonly metrics: readonly Metric[]
  readonly precision: Precision | undefined
}

/** Settles how `model` is to be trained. Names that do not exist list those that do. */
export function compile(model: Trainable, options: CompileOptions): Compiled {
  checkOptions('compile', options, ['optimizer', 'loss', 'metrics', 'precision'])
  if (options.precision !== undefined) checkPrecision('compile', options.precision)
  checkIdle('compile', model)
  const { lossName, loss } = resolveLoss(options.loss)
  return {
    optimizer: resolveOptimizer(options.optimizer),
    loss,
    lossName,
    metrics: resolveMetrics('compile', options.metrics ?? []),
    precision: options.precision,
  }
}

/** @internal Throws unless the model is compiled. */
export function checkCompiled(
  op: string,
  model: Trainable,
  compiled: Compiled | undefined,
): asserts compiled is Compiled {
  if (compiled === undefined) {
    throw typeError(`${op}: model "${model.name}" is not compiled. call compile({ optimizer, loss }) first`)
  }
}

function resolveOptimizer(optimizer: unknown): Optimizer {
  if (optimizer instanceof Optimizer) return optimizer
  if (typeof optimizer !== 'string' || !Object.hasOwn(byName, optimizer)) {
    throw typeError(
      `compile: optimizer must be ${oneOf(Object.keys(byName))}, or one of optimizers.* with options. got ${show(optimizer)}`,
    )
  }
  return byName[optimizer as OptimizerName]()
}

function resolveLoss(loss: unknown): { lossName: LossName | undefined; loss: LossFunction } {
  const names = Object.keys(namedLosses) as LossName[]
  if (typeof loss === 'function') {
    return { lossName: names.find((name) => namedLosses[name] === loss), loss: loss as LossFunction }
  }
  if (!names.includes(loss as LossName)) {
    throw typeError(`compile: loss must be ${oneOf(names)}, or a function. got ${show(loss)}`)
  }
  return { lossName: loss as LossName, loss: namedLosses[loss as LossName] }
}

/** @internal The loss of a batch, shape `[]`, with a weight for each sample where there are some. */
export function lossOf(
  op: string,
  { loss, lossName }: Compiled,
  predictions: Tensor,
  labels: Tensor,
  weights: Tensor | undefined,
): Tensor {
  if (weights === undefined) return meanOf(op, loss(predictions, labels), predictions, undefined)
  let used = lossName !== undefined
  const options = {
    get weights(): Tensor {
      used = true
      return weights
    },
  }
  const value = lossName === undefined ? loss(predictions, labels, options) : loss(predictions, labels, { weights })
  if (value instanceof Tensor && value.shape.length === 0 && !used) {
    throw typeError(
      `${op}: sampleWeight and classWeight have no effect: the loss ${show(loss)} returns one number and does not use options.weights, its third argument. use it, or return one value for each sample`,
    )
  }
  return meanOf(op, value, predictions, used ? undefined : weights)
}

function meanOf(op: string, value: unknown, predictions: Tensor, weights: Tensor | undefined): Tensor {
  checkTensor(op, 'what the loss returns', value)
  if (value.shape.length === 0) return value
  const batch = predictions.shape[0]
  if (value.shape[0] !== batch) {
    throw new ShapeError(
      `${op}: the loss must return one number [] or one value for each sample [${batch}, …]. got shape ${showShape(value.shape)}`,
    )
  }
  if (weights === undefined) return mean(value)
  const axes = value.shape.map((size, axis) => (axis < weights.shape.length ? size : 1))
  return mean(mul(value, reshape(weights, axes)))
}
