// The rectifier.

import { native } from '../native/index.js'
import type { Tensor } from '../tensor/tensor.js'
import { unary } from './unary.js'

/**
 * The rectifier, y = max(x, 0), element by element; NaN stays NaN. Its gradient is dy where y > 0 and 0 elsewhere. Any shape, float.
 *
 * Source: Nair and Hinton 2010.
 *
 * @example
 * ```ts
 * import { relu, tensor } from 'ferrograd'
 * console.log(await relu(tensor([-1, 0, 2])).array()) // [ 0, 0, 2 ]
 * ```
 */
export function relu(x: Tensor): Tensor {
  return unary('relu', x, native.reluForward, 'y', native.reluBackward)
}
