// Products.

import { native } from '../native/index.js'
import type { Tensor } from '../tensor/tensor.js'
import { binary } from './broadcast.js'

/**
 * The product, y = a · b, element by element with NumPy's broadcasting.
 *
 * Throws a `ShapeError` when the shapes do not broadcast, and a `DTypeError` unless both are float32 or both float64.
 *
 * @example
 * ```ts
 * import { mul, tensor } from 'ferrograd'
 * console.log(await mul(tensor([1, 2]), tensor([10, 20])).array()) // [ 10, 40 ]
 * ```
 */
export function mul(a: Tensor, b: Tensor): Tensor {
  return binary('mul', a, b, native.mulForward, native.mulBackward)
}
