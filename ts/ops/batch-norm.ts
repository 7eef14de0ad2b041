// Batch normalisation.

import { record } from '../autograd/record.js'
import { DTypeError, rangeError, ShapeError, show, typeError } from '../errors.js'
import { native } from '../native/index.js'
import { ones, zeros } from '../tensor/create.js'
import { checkFloat } from '../tensor/dtype.js'
import { showShape } from '../tensor/shape.js'
import { checkTensor, empty, type Tensor } from '../tensor/tensor.js'
import type { Variable } from '../tensor/variable.js'

export interface BatchNormOptions {
  /** `[C]`, the factor. Default ones. */
  gamma?: Tensor | undefined
  /** `[C]`, the offset. Default zeros. */
  beta?: Tensor | undefined
  /** `[C]`. With `variance`: used instead of the batch's. */
  mean?: Tensor | undefined
  /** `[C]`. */
  variance?: Tensor | undefined
  /** Added to the variance, above 0. Default 1e-3. */
  epsilon?: number | undefined
}

/**
 * @internal Running statistics that a training step moves:
 * running ← momentum · running + (1 − momentum) · batch, with the population's variance.
 */
export interface Running {
  readonly mean: Variable
  readonly variance: Variable
  readonly momentum: number
}

/** Rows of the native buffer of statistics, each one number for every channel. */
const statisticsRows = 4

/**
 * Brings each channel, the last axis, to mean 0 and variance 1 over all other axes, then scales and shifts it:
 * `[…, C] -> [..., C]`, y = gamma · (x − mean) / √(variance + epsilon) + beta, float. At least two axes.
 *
 * Without `mean` and `variance` they are the batch's (the variance is the population's, so a batch of one value a channel
 * gives beta), and the gradient flows through them. A mean far beyond the spread costs no accuracy. The mean of an empty
 * batch does not exist: a `ShapeError`. A negative variance in `variance` stops the stream with a `StreamError`.
 *
 * Source: Ioffe and Szegedy 2015.
 *
 * @example
 * ```ts
 * import { batchNorm, tensor } from 'ferrograd'
 * const y = batchNorm(tensor([[1, 10], [3, 30]]), { epsilon: 1e-9 })
 * console.log(await y.array()) // [ [ -1, -1 ], [ 1, 1 ] ]
 * ```
 */
export function batchNorm(x: Tensor, options: BatchNormOptions = {}): Tensor {
  return normalise(x, options, undefined)
}

/** @internal {@link batchNorm} with the batch's statistics, which move the running ones too. */
export function trainBatchNorm(x: Tensor, options: BatchNormOptions, running: Running): Tensor {
  return normalise(x, options, running)
}

function normalise(x: Tensor, options: BatchNormOptions, running: Running | undefined): Tensor {
  checkTensor('batchNorm', 'x', x)
  checkFloat('batchNorm', 'x', x.dtype)
  const { mean, variance, epsilon = 1e-3 } = options
  checkEpsilon('batchNorm', epsilon)
  if (x.shape.length < 2) {
    throw new ShapeError(
      `batchNorm: the input must have a batch and channels. input ${showShape(x.shape)}. give it at least 2 axes`,
    )
  }
  const channels = x.shape.at(-1)!
  if (channels === 0) throw new ShapeError(`batchNorm: the input has no channels. input ${showShape(x.shape)}`)
  if ((mean === undefined) !== (variance === undefined)) {
    throw typeError(
      `batchNorm: ${mean === undefined ? 'variance is given, but mean is not' : 'mean is given, but variance is not'}. give both, or neither to use the batch's`,
    )
  }
  for (const name of ['gamma', 'beta', 'mean', 'variance'] as const)
    checkPerChannel('batchNorm', x, name, options[name])
  const gamma = options.gamma ?? ones([channels], { dtype: x.dtype })
  const beta = options.beta ?? zeros([channels], { dtype: x.dtype })
  const training = mean === undefined || variance === undefined
  if (training && x.size === 0) {
    throw new ShapeError(`batchNorm: an empty batch has no mean. input ${showShape(x.shape)}`)
  }

  const statistics = empty([statisticsRows, channels], x.dtype)
  const y = empty(x.shape, x.dtype)
  if (training) {
    native.batchNormTrain(x.handle, gamma.handle, beta.handle, statistics.handle, y.handle, epsilon)
    if (running !== undefined) {
      const { mean, variance, momentum } = running
      native.batchNormUpdate(statistics.handle, mean.handle, variance.handle, momentum)
      mean.touch()
      variance.touch()
    }
  } else {
    native.batchNormInfer(
      ...([x.handle, gamma.handle, beta.handle, mean.handle, variance.handle] as const),
      ...([statistics.handle, y.handle, epsilon] as const),
    )
  }
  const inputs = [x, options.gamma, options.beta, mean, variance]
  record('batchNorm', y, inputs, [x, gamma, statistics], (dy, [x, gamma, statistics], wanted) => {
    const [wantsX, wantsGamma, wantsBeta, wantsMean, wantsVariance] = wanted
    const given = wantsMean || wantsVariance
    const perChannel = (wants: boolean | undefined) => (wants ? empty(gamma!.shape, dy.dtype) : undefined)
    const dx = wantsX ? empty(dy.shape, dy.dtype) : undefined
    const [dGamma, dBeta] = [perChannel(wantsGamma || given), perChannel(wantsBeta || given)]
    if (dx !== undefined || dGamma !== undefined || dBeta !== undefined) {
      native.batchNormBackward(
        ...([x!.handle, dy.handle, gamma!.handle, statistics!.handle, training] as const),
        ...([dx?.handle ?? 0, dGamma?.handle ?? 0, dBeta?.handle ?? 0] as const),
      )
    }
    const [dMean, dVariance] = [perChannel(given), perChannel(given)]
    if (dMean !== undefined && dVariance !== undefined) {
      native.batchNormStatisticsBackward(
        ...([dGamma!.handle, dBeta!.handle, gamma!.handle, statistics!.handle] as const),
        ...([dMean.handle, dVariance.handle] as const),
      )
    }
    return [dx, dGamma, dBeta, dMean, dVariance]
  })
  statistics.dispose()
  return y
}

/** @internal */
export function checkEpsilon(op: string, epsilon: unknown): void {
  if (typeof epsilon !== 'number') throw typeError(`${op}: epsilon must be a number above 0. got ${show(epsilon)}`)
  if (!(epsilon > 0 && epsilon < Infinity)) {
    throw rangeError(`${op}: epsilon must be a number above 0. got ${show(epsilon)}`)
  }
}

/** @internal Throws unless `value` is left out or has one number for each channel of `x`. */
export function checkPerChannel(op: string, x: Tensor, name: string, value: Tensor | undefined): void {
  if (value === undefined) return
  checkTensor(op, name, value)
  const channels = x.shape.at(-1)!
  if (value.shape.length !== 1 || value.shape[0] !== channels) {
    throw new ShapeError(
      `${op}: ${name} must have one number for each of ${channels} ${channels === 1 ? 'channel' : 'channels'}, shape [${channels}]. ${name} ${showShape(value.shape)}, input ${showShape(x.shape)}`,
    )
  }
  if (value.dtype !== x.dtype) {
    throw new DTypeError(
      `${op}: x has dtype ${x.dtype}, but ${name} has ${value.dtype}. cast one: cast(${name}, { dtype: '${x.dtype}' })`,
    )
  }
}
