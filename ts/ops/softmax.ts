// Numbers that sum to 1 along an axis.

import { record } from '../autograd/record.js'
import { native } from '../native/index.js'
import { checkFloat } from '../tensor/dtype.js'
import { checkAxis, sizeOf } from '../tensor/shape.js'
import { checkTensor, empty, type Tensor } from '../tensor/tensor.js'

export interface SoftmaxOptions {
  /** Default -1, the last. */
  axis?: number | undefined
}

/**
 * The softmax, yᵢ = exp(xᵢ) / Σ exp(xⱼ), along an axis. Any shape but a scalar's, float. The largest is
 * subtracted first, so nothing finite overflows; a row with NaN or ∞, or of only −∞, becomes NaN.
 *
 * Throws a `ShapeError` when there is no such axis.
 *
 * Source: Bridle 1990.
 *
 * @example
 * ```ts
 * import { softmax, tensor } from 'ferrograd'
 * console.log(await softmax(tensor([7, 7])).array()) // [ 0.5, 0.5 ]
 * ```
 */
export function softmax(x: Tensor, options: SoftmaxOptions = {}): Tensor {
  checkTensor('softmax', 'x', x)
  checkFloat('softmax', 'x', x.dtype)
  const axis = checkAxis('softmax', options.axis ?? -1, x.shape.length)
  const [outer, size, inner] = [sizeOf(x.shape.slice(0, axis)), x.shape[axis]!, sizeOf(x.shape.slice(axis + 1))]
  const y = empty(x.shape, x.dtype)
  native.softmaxForward(x.handle, y.handle, outer, size, inner)
  return record('softmax', y, [x], [y], (dy, [y]) => {
    const dx = empty(dy.shape, dy.dtype)
    native.softmaxBackward(y!.handle, dy.handle, dx.handle, outer, size, inner)
    return [dx]
  })
}
