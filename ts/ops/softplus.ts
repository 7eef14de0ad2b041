// The smooth rectifier.

import { native } from '../native/index.js'
import type { Tensor } from '../tensor/tensor.js'
import { unary } from './unary.js'

/**
 * The smooth rectifier, y = ln(1 + eˣ), element by element. Any shape, float.
 *
 * Source: Dugas et al. 2001.
 *
 * @example
 * ```ts
 * import { softplus, tensor } from 'ferrograd'
 * console.log(await softplus(tensor([1000])).array()) // [ 1000 ]
 * ```
 */
export function softplus(x: Tensor): Tensor {
  return unary('softplus', x, native.softplusForward, 'x', native.softplusBackward)
}
