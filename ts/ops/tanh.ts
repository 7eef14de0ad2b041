// The hyperbolic tangent.

import { native } from '../native/index.js'
import type { Tensor } from '../tensor/tensor.js'
import { unary } from './unary.js'

/**
 * The hyperbolic tangent, y = (eˣ − e⁻ˣ) / (eˣ + e⁻ˣ), element by element. Any shape, float.
 *
 * @example
 * ```ts
 * import { tanh, tensor } from 'ferrograd'
 * console.log(await tanh(tensor([0])).array()) // [ 0 ]
 * ```
 */
export function tanh(x: Tensor): Tensor {
  return unary('tanh', x, native.tanhForward, 'y', native.tanhBackward)
}
