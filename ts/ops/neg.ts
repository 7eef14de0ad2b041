// Negation.

import { native } from '../native/index.js'
import type { Tensor } from '../tensor/tensor.js'
import { unary } from './unary.js'

/**
 * −x, element by element. Any shape, float.
 *
 * @example
 * ```ts
 * import { neg, tensor } from 'ferrograd'
 * console.log(await neg(tensor([1, -2])).array()) // [ -1, 2 ]
 * ```
 */
export function neg(x: Tensor): Tensor {
  return unary('neg', x, native.negForward, 'y', (_, dy, dx) => native.negForward(dy, dx))
}
