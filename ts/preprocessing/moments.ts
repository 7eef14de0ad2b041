// Mean and variance of training data.

import { rangeError } from '../errors.js'
import { native } from '../native/index.js'
import { unscoped } from '../tensor/scope.js'
import { showShape, sizeOf } from '../tensor/shape.js'
import { empty, type Tensor } from '../tensor/tensor.js'

/** What statistics are taken for: each pixel (of each channel) or each channel. */
export type Per = 'pixel' | 'channel'

/** @internal The shape of the statistics of inputs of `shape`. */
export function statisticsShape(per: Per, shape: readonly number[]): readonly number[] {
  return per === 'pixel' ? shape.slice(1) : shape.slice(-1)
}

/** @internal */
export interface Moments {
  readonly mean: Float64Array
  /** The population's. */
  readonly variance: Float64Array
}

/** @internal The moments of finite `x`, in float64; anything else is an error. */
export async function momentsOf(label: string, x: Tensor, per: Per): Promise<Moments> {
  const shape = statisticsShape(per, x.shape)
  const columns = sizeOf(shape)
  const made: Tensor[] = []
  try {
    const make = () => made[made.push(unscoped(() => empty([columns], 'float64'))) - 1]!
    const [mean, variance] = [make(), make()]
    native.moments(x.handle, mean.handle, variance.handle)
    const [means, variances] = (await Promise.all([mean.data(), variance.data()])) as [Float64Array, Float64Array]
    checkFinite(label, x, per, shape, means, variances)
    return { mean: means, variance: variances }
  } finally {
    for (const tensor of made) tensor.dispose()
  }
}

function checkFinite(
  label: string,
  x: Tensor,
  per: Per,
  shape: readonly number[],
  means: Float64Array,
  variances: Float64Array,
): void {
  const spoiled = means.findIndex((mean) => !Number.isFinite(mean))
  if (spoiled >= 0) {
    const place =
      per === 'channel' ? `channel ${spoiled}` : `position ${showShape(unravel(spoiled, shape))} of a sample`
    throw rangeError(
      `${label}: the training data hold NaN or infinity, first at ${place}. x has shape ${showShape(x.shape)}. remove or replace such samples`,
    )
  }
  if (!variances.every((variance) => Number.isFinite(variance))) {
    throw rangeError(
      `${label}: the numbers of the training data are so large that their squares overflow. scale them down first`,
    )
  }
}

function unravel(index: number, shape: readonly number[]): number[] {
  const place = new Array<number>(shape.length)
  for (let axis = shape.length - 1, rest = index; axis >= 0; axis--) {
    place[axis] = rest % shape[axis]!
    rest = Math.floor(rest / shape[axis]!)
  }
  return place
}
