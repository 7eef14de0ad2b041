// Differences.

import { native } from '../native/index.js'
import type { Tensor } from '../tensor/tensor.js'
import { binary } from './broadcast.js'

/**
 * The difference, y = a − b, element by element with NumPy's broadcasting.
 *
 * Throws a `ShapeError` when the shapes do not broadcast, and a `DTypeError` unless both are float32 or both float64.
 *
 * @example
 * ```ts
 * import { sub, tensor } from 'ferrograd'
 * console.log(await sub(tensor([1, 2]), tensor([10, 20])).array()) // [ -9, -18 ]
 * ```
 */
export function sub(a: Tensor, b: Tensor): Tensor {
  return binary('sub', a, b, native.subForward, undefined, true)
}
