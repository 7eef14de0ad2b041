// The largest along axes.

import { record } from '../autograd/record.js'
import { native } from '../native/index.js'
import { checkFloat } from '../tensor/dtype.js'
import { checkTensor, empty, type Tensor } from '../tensor/tensor.js'
import { checkSome, type ReduceOptions, reduction } from './reduce.js'

/**
 * The largest along axes; NaN if any is, all by default. Float. Where several are the largest, they share the
 * gradient equally. Of nothing there is no largest: a `ShapeError`.
 *
 * @example
 * ```ts
 * import { max, tensor } from 'ferrograd'
 * console.log(await max(tensor([[1, 4], [3, 2]]), { axis: 1 }).array()) // [ 4, 3 ]
 * ```
 */
export function max(x: Tensor, options: ReduceOptions = {}): Tensor {
  checkTensor('max', 'x', x)
  checkFloat('max', 'x', x.dtype)
  const plan = reduction('max', x.shape, options)
  checkSome('max', x.shape, plan)
  const { shape, words } = plan
  const xShape = x.shape
  const y = empty(shape, x.dtype)
  native.maxForward(x.handle, y.handle, words)
  return record('max', y, [x], [x, y], (dy, [x, y]) => {
    const dx = empty(xShape, dy.dtype)
    native.extremeBackward(x!.handle, y!.handle, dy.handle, dx.handle, words)
    return [dx]
  })
}
