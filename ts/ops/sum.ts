// The sum along axes.

import { record } from '../autograd/record.js'
import { native } from '../native/index.js'
import { checkFloat } from '../tensor/dtype.js'
import { checkTensor, empty, type Tensor } from '../tensor/tensor.js'
import { type ReduceOptions, reduction } from './reduce.js'

/**
 * The sum along axes, all by default. Float. The sum of nothing is 0. Sums run in float64 and are rounded once.
 *
 * @example
 * ```ts
 * import { sum, tensor } from 'ferrograd'
 * console.log(await sum(tensor([[1, 2], [3, 4]]), { axis: 0 }).array()) // [ 4, 6 ]
 * ```
 */
export function sum(x: Tensor, options: ReduceOptions = {}): Tensor {
  checkTensor('sum', 'x', x)
  checkFloat('sum', 'x', x.dtype)
  const { shape, words } = reduction('sum', x.shape, options)
  const xShape = x.shape
  const y = empty(shape, x.dtype)
  native.sumForward(x.handle, y.handle, words)
  return record('sum', y, [x], [], (dy) => {
    const dx = empty(xShape, dy.dtype)
    native.sumBackward(dy.handle, dx.handle, words)
    return [dx]
  })
}
