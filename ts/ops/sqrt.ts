// Square roots.

import { native } from '../native/index.js'
import type { Tensor } from '../tensor/tensor.js'
import { unary } from './unary.js'

/**
 * √x, element by element: NaN below 0. Its gradient at 0 is infinite. Any shape, float.
 *
 * @example
 * ```ts
 * import { sqrt, tensor } from 'ferrograd'
 * console.log(await sqrt(tensor([4, 9])).array()) // [ 2, 3 ]
 * ```
 */
export function sqrt(x: Tensor): Tensor {
  return unary('sqrt', x, native.sqrtForward, 'y', native.sqrtBackward)
}
