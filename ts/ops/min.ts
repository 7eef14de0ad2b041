// The smallest along axes.

import { record } from '../autograd/record.js'
import { native } from '../native/index.js'
import { checkFloat } from '../tensor/dtype.js'
import { checkTensor, empty, type Tensor } from '../tensor/tensor.js'
import { checkSome, type ReduceOptions, reduction } from './reduce.js'

/**
 * The smallest along axes; NaN if any is, all by default. Float. Where several are the smallest, they share the
 * gradient equally. Of nothing there is no smallest: a `ShapeError`.
 *
 * @example
 * ```ts
 * import { min, tensor } from 'ferrograd'
 * console.log(await min(tensor([[1, 4], [3, 2]]), { axis: 1 }).array()) // [ 1, 2 ]
 * ```
 */
export function min(x: Tensor, options: ReduceOptions = {}): Tensor {
  checkTensor('min', 'x', x)
  checkFloat('min', 'x', x.dtype)
  const plan = reduction('min', x.shape, options)
  checkSome('min', x.shape, plan)
  const { shape, words } = plan
  const xShape = x.shape
  const y = empty(shape, x.dtype)
  native.minForward(x.handle, y.handle, words)
  return record('min', y, [x], [x, y], (dy, [x, y]) => {
    const dx = empty(xShape, dy.dtype)
    native.extremeBackward(x!.handle, y!.handle, dy.handle, dx.handle, words)
    return [dx]
  })
}
