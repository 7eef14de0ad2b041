// The mean along axes.

import { record } from '../autograd/record.js'
import { native } from '../native/index.js'
import { checkFloat } from '../tensor/dtype.js'
import { checkTensor, empty, type Tensor } from '../tensor/tensor.js'
import { type ReduceOptions, reduction } from './reduce.js'

/**
 * The mean along axes, all by default. Float. The mean of nothing is NaN. Sums run in float64 and are rounded
 * once.
 *
 * @example
 * ```ts
 * import { mean, tensor } from 'ferrograd'
 * console.log(await mean(tensor([[1, 2], [3, 4]]), { axis: 1 }).array()) // [ 1.5, 3.5 ]
 * ```
 */
export function mean(x: Tensor, options: ReduceOptions = {}): Tensor {
  checkTensor('mean', 'x', x)
  checkFloat('mean', 'x', x.dtype)
  const { shape, words } = reduction('mean', x.shape, options)
  const xShape = x.shape
  const y = empty(shape, x.dtype)
  native.meanForward(x.handle, y.handle, words)
  return record('mean', y, [x], [], (dy) => {
    const dx = empty(xShape, dy.dtype)
    native.meanBackward(dy.handle, dx.handle, words)
    return [dx]
  })
}
