// Sums.

import { native } from '../native/index.js'
import type { Tensor } from '../tensor/tensor.js'
import { binary } from './broadcast.js'

/**
 * The sum, y = a + b, element by element with NumPy's broadcasting.
 *
 * Throws a `ShapeError` when the shapes do not broadcast, and a `DTypeError` unless both are float32 or both float64.
 *
 * @example
 * ```ts
 * import { add, tensor } from 'ferrograd'
 * console.log(await add(tensor([1, 2]), tensor([10, 20])).array()) // [ 11, 22 ]
 * ```
 */
export function add(a: Tensor, b: Tensor): Tensor {
  return binary('add', a, b, native.addForward, undefined)
}
