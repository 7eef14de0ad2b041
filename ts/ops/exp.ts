// The exponential function.

import { native } from '../native/index.js'
import type { Tensor } from '../tensor/tensor.js'
import { unary } from './unary.js'

/**
 * eˣ, element by element. Any shape, float.
 *
 * @example
 * ```ts
 * import { exp, tensor } from 'ferrograd'
 * console.log(await exp(tensor([0])).array()) // [ 1 ]
 * ```
 */
export function exp(x: Tensor): Tensor {
  return unary('exp', x, native.expForward, 'y', native.expBackward)
}
