// The Gaussian error linear unit.

import { show, typeError } from '../errors.js'
import { native } from '../native/index.js'
import type { Tensor } from '../tensor/tensor.js'
import { unary } from './unary.js'

export interface GeluOptions {
  /** Use ½x(1 + tanh(√(2/π)(x + 0.044715x³))). Default false: exact. */
  approximate?: boolean | undefined
}

/**
 * The Gaussian error linear unit, y = x · Φ(x), with Φ the standard normal distribution: ½(1 + erf(x / √2)). Any shape, float.
 *
 * Source: Hendrycks and Gimpel 2016.
 *
 * @example
 * ```ts
 * import { gelu, tensor } from 'ferrograd'
 * console.log(await gelu(tensor([0, 10])).array()) // [ 0, 10 ]
 * ```
 */
export function gelu(x: Tensor, options: GeluOptions = {}): Tensor {
  const { approximate = false } = options
  if (typeof approximate !== 'boolean') throw typeError(`gelu: approximate must be a boolean. got ${show(approximate)}`)
  return approximate
    ? unary('gelu', x, native.geluTanhForward, 'x', native.geluTanhBackward)
    : unary('gelu', x, native.geluForward, 'x', native.geluBackward)
}
