// Quotients.

import { native } from '../native/index.js'
import type { Tensor } from '../tensor/tensor.js'
import { binary } from './broadcast.js'

/**
 * The quotient, y = a / b, element by element with NumPy's broadcasting. Division by zero gives an infinity or
 * NaN, as IEEE 754 says.
 *
 * Throws a `ShapeError` when the shapes do not broadcast, and a `DTypeError` unless both are float32 or both float64.
 *
 * @example
 * ```ts
 * import { div, tensor } from 'ferrograd'
 * console.log(await div(tensor([1, 2]), tensor([4, 8])).array()) // [ 0.25, 0.25 ]
 * ```
 */
export function div(a: Tensor, b: Tensor): Tensor {
  return binary('div', a, b, native.divForward, native.divBackward)
}
