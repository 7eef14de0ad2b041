// Normal random numbers without the far ones.

import { native } from '../native/index.js'
import type { Tensor } from '../tensor/tensor.js'
import { checkSpread, random } from './random.js'
import type { RandomNormalOptions } from './random-normal.js'

/**
 * @internal Like {@link randomNormal}, but numbers farther than two `stdDev` from the mean are drawn again, so that the
 * standard deviation of the result is 0.87962566103423978 `stdDev`.
 */
export function truncatedNormal(shape: readonly number[], options: RandomNormalOptions = {}): Tensor {
  const { mean = 0, stdDev = 1 } = options ?? {}
  checkSpread('truncatedNormal', mean, stdDev)
  return random('truncatedNormal', shape, options, (y, seed) => native.truncatedNormal(y, seed, mean, stdDev))
}
