// Uniform random numbers.

import { rangeError, show } from '../errors.js'
import { native } from '../native/index.js'
import type { DType } from '../tensor/dtype.js'
import type { Tensor } from '../tensor/tensor.js'
import { random } from './random.js'

export interface RandomUniformOptions {
  /** Default 0. */
  min?: number | undefined
  /** Default 1. */
  max?: number | undefined
  /** A whole number from 0 to 2^53 - 1. Default: the next of the sequence that `setSeed` starts. */
  seed?: number | undefined
  /** 'float32' (the default) or 'float64'. */
  dtype?: DType | undefined
}

/**
 * A tensor of numbers spread evenly over [min, max), in 2^24 steps. Element i is a function of `seed` and i alone: the
 * same on any machine and any number of threads, and the beginning of a longer tensor with the same seed.
 *
 * Throws a `RangeError` unless min ≤ max, both finite and not 3e38 apart.
 *
 * Source: Philox4x32-10 (Salmon, Moraes, Dror and Shaw 2011).
 *
 * @example
 * ```ts
 * import { randomUniform } from 'ferrograd'
 * const noise = randomUniform([2, 3], { min: -1, max: 1, seed: 1 })
 * console.log(noise.shape) // [ 2, 3 ]
 * ```
 */
export function randomUniform(shape: readonly number[], options: RandomUniformOptions = {}): Tensor {
  const { min = 0, max = 1 } = options ?? {}
  if (!Number.isFinite(min)) throw rangeError(`randomUniform: min must be a finite number. got ${show(min)}`)
  if (!Number.isFinite(max)) throw rangeError(`randomUniform: max must be a finite number. got ${show(max)}`)
  if (min > max) throw rangeError(`randomUniform: min ${min} is above max ${max}`)
  if (Math.max(Math.abs(min), Math.abs(max), max - min) > 3e38) {
    throw rangeError(`randomUniform: min ${min} and max ${max} must be within 3e38 of 0 and of each other`)
  }
  return random('randomUniform', shape, options, (y, seed) => native.randomUniform(y, seed, min, max))
}
