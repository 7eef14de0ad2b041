// The logarithm of a softmax.

import { record } from '../autograd/record.js'
import { native } from '../native/index.js'
import { checkFloat } from '../tensor/dtype.js'
import { checkAxis, sizeOf } from '../tensor/shape.js'
import { checkTensor, empty, type Tensor } from '../tensor/tensor.js'

export interface LogSoftmaxOptions {
  /** Default -1, the last. */
  axis?: number | undefined
}

/**
 * The logarithm of the softmax, yᵢ = xᵢ − ln Σ exp(xⱼ), along an axis. Any shape but a scalar's, float. The largest is
 * subtracted first, so nothing finite overflows; a row with NaN or ∞, or of only −∞, becomes NaN.
 *
 * Throws a `ShapeError` when there is no such axis.
 *
 * Source: Blanchard, Higham and Higham 2021.
 *
 * @example
 * ```ts
 * import { logSoftmax, tensor } from 'ferrograd'
 * console.log(await logSoftmax(tensor([7, 7])).array()) // [ -0.6931471824645996, -0.6931471824645996 ]
 * ```
 */
export function logSoftmax(x: Tensor, options: LogSoftmaxOptions = {}): Tensor {
  checkTensor('logSoftmax', 'x', x)
  checkFloat('logSoftmax', 'x', x.dtype)
  const axis = checkAxis('logSoftmax', options.axis ?? -1, x.shape.length)
  const [outer, size, inner] = [sizeOf(x.shape.slice(0, axis)), x.shape[axis]!, sizeOf(x.shape.slice(axis + 1))]
  const y = empty(x.shape, x.dtype)
  native.logSoftmaxForward(x.handle, y.handle, outer, size, inner)
  return record('logSoftmax', y, [x], [y], (dy, [y]) => {
    const dx = empty(dy.shape, dy.dtype)
    native.logSoftmaxBackward(y!.handle, dy.handle, dx.handle, outer, size, inner)
    return [dx]
  })
}
