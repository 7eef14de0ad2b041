// Normal random numbers.

import { native } from '../native/index.js'
import type { DType } from '../tensor/dtype.js'
import type { Tensor } from '../tensor/tensor.js'
import { checkSpread, random } from './random.js'

export interface RandomNormalOptions {
  /** Default 0. */
  mean?: number | undefined
  /** The standard deviation. Default 1. */
  stdDev?: number | undefined
  /** A whole number from 0 to 2^53 - 1. Default: the next of the sequence that `setSeed` starts. */
  seed?: number | undefined
  /** 'float32' (the default) or 'float64'. */
  dtype?: DType | undefined
}

/**
 * A tensor of normally distributed numbers. Element i is a function of `seed` and i alone: the same on any machine
 * and any number of threads, and the beginning of a longer tensor with the same seed. None is farther than 6.7
 * standard deviations from the mean.
 *
 * Source: Box and Muller 1958, on Philox4x32-10 (Salmon, Moraes, Dror and Shaw 2011).
 *
 * @example
 * ```ts
 * import { randomNormal } from 'ferrograd'
 * const weight = randomNormal([256, 10], { stdDev: 0.01, seed: 1 })
 * console.log(weight.shape) // [ 256, 10 ]
 * ```
 */
export function randomNormal(shape: readonly number[], options: RandomNormalOptions = {}): Tensor {
  const { mean = 0, stdDev = 1 } = options ?? {}
  checkSpread('randomNormal', mean, stdDev)
  return random('randomNormal', shape, options, (y, seed) => native.randomNormal(y, seed, mean, stdDev))
}
