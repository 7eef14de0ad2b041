// The directions in which training data vary most.

import { noGrad } from '../autograd/record.js'
import { rangeError, ShapeError, show, typeError } from '../errors.js'
import { native } from '../native/index.js'
import { cast, slice } from '../ops/index.js'
import { tensor } from '../tensor/create.js'
import { scope, unscoped } from '../tensor/scope.js'
import { showShape, sizeOf } from '../tensor/shape.js'
import { empty, type Tensor } from '../tensor/tensor.js'
import { floatDType } from './by-rows.js'
import { momentsOf } from './moments.js'
import type { Statistics } from './preprocessing.js'

/** Half the distance from 1 to the next double, twice. */
const EPSILON = 2 ** -52

/** @internal */
export interface PrincipalAxes {
  /** `mean` of the shape of a sample, `components` `[K, features]` and `explainedVariance` `[K]`, largest first. */
  readonly statistics: Statistics
  /** In float64. */
  readonly variances: Float64Array
  /** The variance along all axes together. */
  readonly total: number
  /** The number of axes along which the data vary at all. */
  readonly rank: number
}

/** @internal Throws unless `value` is a number of components, or a share of the variance that they explain. */
export function checkComponents(label: string, value: unknown): number | undefined {
  if (value === undefined) return undefined
  if (typeof value !== 'number') throw typeError(`${label}: components must be a number. got ${show(value)}`)
  if (!(value > 0 && value < 1) && !(Number.isSafeInteger(value) && value >= 1)) {
    throw rangeError(
      `${label}: components must be a whole number from 1, or a share of the variance between 0 and 1. got ${show(value)}`,
    )
  }
  return value
}

/**
 * @internal The principal axes of `x`, as many as `components` says. Directions along which the data do not vary are left
 * out: rounding alone would decide where they point.
 */
export async function principalAxes(label: string, x: Tensor, components?: number): Promise<PrincipalAxes> {
  const [samples, features] = [x.shape[0]!, sizeOf(x.shape.slice(1))]
  if (samples < 2)
    throw new ShapeError(`${label}: a variance needs at least 2 samples. x has shape ${showShape(x.shape)}`)
  const { mean, variance } = await momentsOf(label, x, 'pixel')
  const dtype = floatDType(x.dtype)
  checkRange(label, variance, dtype)
  const made: Tensor[] = []
  try {
    const { variances, axes } = unscoped(() =>
      samples < features ? ofSamples(x, mean, made) : ofCovariance(x, mean, made),
    )
    const all = (await variances.data()) as Float64Array
    if (all.some(Number.isNaN)) throw rangeError(`${label}: the decomposition of the covariance did not converge`)
    const smallest = Math.max(samples, features) * EPSILON * all[0]!
    const rank = all.slice(0, Math.min(samples - 1, features)).filter((v) => v > smallest).length
    const total = all.reduce((sum, v) => sum + v, 0)
    const count = countOf(label, components, { rank, variances: all, total, shape: x.shape })
    const kept = all.slice(0, count)
    const statistics = unscoped(() => ({
      mean: tensor(mean, { shape: x.shape.slice(1), dtype }),
      components: scope(() => noGrad(() => cast(slice(axes, { begin: 0, size: count }), { dtype }))),
      explainedVariance: tensor(kept, { dtype }),
    }))
    return { statistics, variances: kept, total, rank }
  } finally {
    for (const one of made) one.dispose()
  }
}

interface Decomposition {
  readonly variances: Tensor
  readonly axes: Tensor
}

/** Queues the decomposition of the covariance: features² numbers, whatever the number of samples. */
function ofCovariance(x: Tensor, mean: Float64Array, made: Tensor[]): Decomposition {
  const features = mean.length
  const make = makerOf(made)
  const covariance = make([features, features], 'float64')
  const axes = make([features, features], 'float64')
  const variances = make([features], 'float64')
  const scratch = make([native.principalOfCovarianceBytes(features)], 'uint8')
  const center = tensor(mean)
  made.push(center)
  native.covariance(x.handle, center.handle, covariance.handle)
  native.principalOfCovariance(covariance.handle, variances.handle, axes.handle, scratch.handle)
  return { variances, axes }
}

/** Queues the decomposition of the samples themselves, which are fewer than features. */
function ofSamples(x: Tensor, mean: Float64Array, made: Tensor[]): Decomposition {
  const [samples, features] = [x.shape[0]!, mean.length]
  const make = makerOf(made)
  const centred = make([samples, features], 'float64')
  const axes = make([samples, features], 'float64')
  const variances = make([samples], 'float64')
  const scratch = make([native.principalOfSamplesBytes(samples, features)], 'uint8')
  const center = tensor(mean)
  made.push(center)
  const { handle } = x
  native.principalOfSamples(handle, center.handle, variances.handle, centred.handle, axes.handle, scratch.handle)
  return { variances, axes }
}

const makerOf =
  (made: Tensor[]) =>
  (shape: readonly number[], dtype: 'float64' | 'uint8'): Tensor =>
    made[made.push(empty(shape, dtype)) - 1]!

/** Variances that the dtype of the statistics cannot hold would become infinity or 0. */
function checkRange(label: string, variance: Float64Array, dtype: 'float32' | 'float64'): void {
  const largest = variance.reduce((most, v) => Math.max(most, v), 0)
  if (largest === 0) {
    throw rangeError(`${label}: the samples of the training data are all equal, so there is no direction of variance`)
  }
  if (dtype === 'float32' && (largest * variance.length > 3e38 || largest < 1e-25)) {
    throw rangeError(
      `${label}: a variance of ${largest} is beyond what float32 statistics can tell. scale the training data, or cast them to float64`,
    )
  }
}

interface Found {
  readonly rank: number
  readonly variances: Float64Array
  readonly total: number
  readonly shape: readonly number[]
}

function countOf(label: string, components: number | undefined, { rank, variances, total, shape }: Found): number {
  if (components === undefined) return rank
  if (components < 1) {
    let count = 0
    for (let explained = 0; count < rank && explained < components * total; count++) explained += variances[count]!
    return count
  }
  if (components <= rank) return components
  throw rangeError(
    `${label}: components is ${components}, but the training data vary in only ${rank} ${rank === 1 ? 'direction' : 'directions'}: ` +
      `${shape[0]} samples of ${sizeOf(shape.slice(1))} features, x ${showShape(shape)}. use at most ${rank}, or leave components out to keep all`,
  )
}
