// Swish, also called SiLU.

import { native } from '../native/index.js'
import type { Tensor } from '../tensor/tensor.js'
import { unary } from './unary.js'

/**
 * Swish, also called SiLU: y = x · sigmoid(x), element by element. Any shape, float.
 *
 * Source: Ramachandran, Zoph and Le 2017; Elfwing, Uchibe and Doya 2018.
 *
 * @example
 * ```ts
 * import { swish, tensor } from 'ferrograd'
 * console.log(await swish(tensor([0])).array()) // [ 0 ]
 * ```
 */
export function swish(x: Tensor): Tensor {
  return unary('swish', x, native.swishForward, 'x', native.swishBackward)
}
