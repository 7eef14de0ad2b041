// The population's variance along axes.

import { record } from '../autograd/record.js'
import { native } from '../native/index.js'
import { checkFloat } from '../tensor/dtype.js'
import { checkTensor, empty, type Tensor } from '../tensor/tensor.js'
import { type ReduceOptions, reduction } from './reduce.js'

/**
 * The population's variance along axes, Σ(x − mean)² / n, in two passes, all by default. Float. The variance of
 * nothing is NaN. Sums run in float64 and are rounded once.
 *
 * @example
 * ```ts
 * import { variance, tensor } from 'ferrograd'
 * console.log(await variance(tensor([1, 2, 3, 4])).array()) // 1.25
 * ```
 */
export function variance(x: Tensor, options: ReduceOptions = {}): Tensor {
  checkTensor('variance', 'x', x)
  checkFloat('variance', 'x', x.dtype)
  const { shape, words } = reduction('variance', x.shape, options)
  const xShape = x.shape
  const y = empty(shape, x.dtype)
  native.varianceForward(x.handle, y.handle, words)
  return record('variance', y, [x], [x], (dy, [x]) => {
    const dx = empty(xShape, dy.dtype)
    native.varianceBackward(x!.handle, dy.handle, dx.handle, words)
    return [dx]
  })
}
