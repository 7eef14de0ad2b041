// Squares.

import { native } from '../native/index.js'
import type { Tensor } from '../tensor/tensor.js'
import { unary } from './unary.js'

/**
 * x², element by element. Any shape, float.
 *
 * @example
 * ```ts
 * import { square, tensor } from 'ferrograd'
 * console.log(await square(tensor([3, -4])).array()) // [ 9, 16 ]
 * ```
 */
export function square(x: Tensor): Tensor {
  return unary('square', x, native.squareForward, 'x', native.squareBackward)
}
