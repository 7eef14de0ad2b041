// Dropout.

import { record } from '../autograd/record.js'
import { rangeError, show } from '../errors.js'
import { native } from '../native/index.js'
import { checkFloat } from '../tensor/dtype.js'
import { checkSeed, nextSeed } from '../tensor/seed.js'
import { checkTensor, empty, type Tensor } from '../tensor/tensor.js'

export interface DropoutOptions {
  /** The share of elements that become 0, from 0 up to but not including 1. */
  rate: number
  /** The same seed drops the same elements. Default: the next of the sequence that `setSeed` started. */
  seed?: number | undefined
}

/**
 * Sets a random share of the elements to 0 and multiplies the others by 1 / (1 − rate), so that the expected value stays.
 * Any shape, float. Which elements go depends on the seed alone, never on the number of threads.
 *
 * Throws a `RangeError` when the rate is not from 0 up to 1.
 *
 * Source: Srivastava et al. 2014.
 *
 * @example
 * ```ts
 * import { dropout, mean, ones } from 'ferrograd'
 * const y = dropout(ones([10000]), { rate: 0.5, seed: 1 })
 * console.log(Math.round(await mean(y).item())) // 1
 * ```
 */
export function dropout(x: Tensor, options: DropoutOptions): Tensor {
  checkTensor('dropout', 'x', x)
  checkFloat('dropout', 'x', x.dtype)
  const rate: unknown = options?.rate
  if (typeof rate !== 'number' || !(rate >= 0 && rate < 1)) {
    throw rangeError(`dropout: rate must be from 0 up to but not including 1. got ${show(rate)}`)
  }
  const seed = options.seed === undefined ? nextSeed() : checkSeed('dropout', options.seed)
  const drop = (from: Tensor): Tensor => {
    const to = empty(from.shape, from.dtype)
    native.dropoutForward(from.handle, to.handle, seed, rate)
    return to
  }
  return record('dropout', drop(x), [x], [], (dy) => [drop(dy)])
}
