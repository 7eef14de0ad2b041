// The natural logarithm.

import { native } from '../native/index.js'
import type { Tensor } from '../tensor/tensor.js'
import { unary } from './unary.js'

/**
 * ln x, element by element: −∞ at 0, NaN below. Any shape, float.
 *
 * @example
 * ```ts
 * import { log, tensor } from 'ferrograd'
 * console.log(await log(tensor([1])).array()) // [ 0 ]
 * ```
 */
export function log(x: Tensor): Tensor {
  return unary('log', x, native.logForward, 'x', native.logBackward)
}
