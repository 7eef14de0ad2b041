// The smaller of two.

import { native } from '../native/index.js'
import type { Tensor } from '../tensor/tensor.js'
import { binary } from './broadcast.js'

/**
 * The smaller of a and b, element by element with NumPy's broadcasting; NaN if either is. Where both are equal,
 * each gets half of the gradient.
 *
 * Throws a `ShapeError` when the shapes do not broadcast, and a `DTypeError` unless both are float32 or both float64.
 *
 * @example
 * ```ts
 * import { minimum, tensor } from 'ferrograd'
 * console.log(await minimum(tensor([1, 5]), tensor([3, 2])).array()) // [ 1, 2 ]
 * ```
 */
export function minimum(a: Tensor, b: Tensor): Tensor {
  return binary('minimum', a, b, native.minimumForward, native.minimumBackward)
}
