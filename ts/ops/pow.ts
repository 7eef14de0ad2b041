// Powers.

import { native } from '../native/index.js'
import type { Tensor } from '../tensor/tensor.js'
import { binary } from './broadcast.js'

/**
 * The power, y = a^b, element by element with NumPy's broadcasting. A negative base with an exponent that is no
 * whole number gives NaN; the gradient of the exponent is 0 where the base is 0.
 *
 * Throws a `ShapeError` when the shapes do not broadcast, and a `DTypeError` unless both are float32 or both float64.
 *
 * @example
 * ```ts
 * import { pow, tensor } from 'ferrograd'
 * console.log(await pow(tensor([2, 3]), tensor([3, 2])).array()) // [ 8, 9 ]
 * ```
 */
export function pow(a: Tensor, b: Tensor): Tensor {
  return binary('pow', a, b, native.powForward, native.powBackward)
}
