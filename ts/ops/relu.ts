// The rectifier.

import { record } from '../autograd/record.js'
import { native } from '../native/index.js'
import { checkFloat } from '../tensor/dtype.js'
import { checkTensor, empty, type Tensor } from '../tensor/tensor.js'
import { rectified } from './rectified.js'

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
  checkTensor('relu', 'x', x)
  checkFloat('relu', 'x', x.dtype)
  const y = empty(x.shape, x.dtype)
  native.reluForward(x.handle, y.handle)
  record('relu', y, [x], [y], (dy, [y]) => [rectified(dy, y!)])
  if (y.life.node !== undefined) y.life.node.rectifies = true
  return y
}
