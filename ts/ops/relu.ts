// The rectifier.

import { record } from '../autograd/record.js'
import { native } from '../native/index.js'
import { checkFloat } from '../tensor/dtype.js'
import { checkTensor, empty, type Tensor } from '../tensor/tensor.js'

/**
 * The rectifier, y = max(x, 0), element by element. Any shape, float. Its gradient is dy where y > 0 and 0 elsewhere.
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
  return record('relu', y, [x], [y], (dy, [y]) => {
    const dx = empty(dy.shape, dy.dtype)
    native.reluBackward(dy.handle, y!.handle, dx.handle)
    return [dx]
  })
}
