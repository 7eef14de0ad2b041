// Absolute values.

import { native } from '../native/index.js'
import type { Tensor } from '../tensor/tensor.js'
import { unary } from './unary.js'

/**
 * |x|, element by element. Its gradient at 0 is 0. Any shape, float.
 *
 * @example
 * ```ts
 * import { abs, tensor } from 'ferrograd'
 * console.log(await abs(tensor([1, -2])).array()) // [ 1, 2 ]
 * ```
 */
export function abs(x: Tensor): Tensor {
  return unary('abs', x, native.absForward, 'x', native.absBackward)
}
