// Slices picked by index.

import { record } from '../autograd/record.js'
import { ShapeError, show, typeError } from '../errors.js'
import { native } from '../native/index.js'
import { checkAxis, checkShape, showShape, sizeOf } from '../tensor/shape.js'
import { checkTensor, empty, type Tensor } from '../tensor/tensor.js'
import { checkIndices, type Indices } from './indices.js'

export interface GatherOptions {
  /** The axis along which `indices` pick. Default 0; negative axes count from the last. */
  axis?: number | undefined
}

/**
 * The slices of `x` that `indices` name along an axis: that axis is replaced by the axes of `indices`. Every dtype. The
 * gradient of a slice that is picked several times is the sum, in the order of the indices.
 *
 * Plain indices are checked at once: a `RangeError`. Those in a tensor, int32 or uint8, are checked when the work is
 * done: an index outside rejects the next read with a `StreamError`, and all reads after it.
 *
 * @example
 * ```ts
 * import { gather, tensor } from 'ferrograd'
 * const table = tensor([[1, 2], [3, 4], [5, 6]])
 * console.log(await gather(table, [2, 0]).array()) // [ [ 5, 6 ], [ 1, 2 ] ]
 * ```
 */
export function gather(x: Tensor, indices: Indices, options: GatherOptions = {}): Tensor {
  checkTensor('gather', 'x', x)
  if (typeof options !== 'object' || options === null)
    throw typeError(`gather: options must be an object. got ${show(options)}`)
  if (x.shape.length === 0) throw new ShapeError('gather: the input has shape [], without an axis to pick along')
  const axis = checkAxis('gather', options.axis ?? 0, x.shape.length)
  const size = x.shape[axis]!
  const picked = checkIndices('gather', indices, size, `axis ${axis} of input ${showShape(x.shape)}`)
  const outer = x.shape.slice(0, axis)
  const inner = x.shape.slice(axis + 1)
  const shape = checkShape('gather', [...outer, ...picked.shape, ...inner])
  const words = Float64Array.of(sizeOf(outer), size, picked.size, sizeOf(inner))
  const xShape = x.shape
  const y = empty(shape, x.dtype)
  native.gatherForward(x.handle, picked.handle, y.handle, words)
  record('gather', y, [x], [picked], (dy, [picked]) => {
    const dx = empty(xShape, dy.dtype)
    native.gatherBackward(dy.handle, picked!.handle, dx.handle, words)
    return [dx]
  })
  picked.dispose()
  return y
}
