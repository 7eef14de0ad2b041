// The logistic function.

import { native } from '../native/index.js'
import type { Tensor } from '../tensor/tensor.js'
import { unary } from './unary.js'

/**
 * The logistic function, y = 1 / (1 + e⁻ˣ), element by element. Any shape, float.
 *
 * @example
 * ```ts
 * import { sigmoid, tensor } from 'ferrograd'
 * console.log(await sigmoid(tensor([0])).array()) // [ 0.5 ]
 * ```
 */
export function sigmoid(x: Tensor): Tensor {
  return unary('sigmoid', x, native.sigmoidForward, 'y', native.sigmoidBackward)
}
