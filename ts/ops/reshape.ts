// The same elements under another shape.

import { record } from '../autograd/record.js'
import { rangeError, ShapeError, show, typeError } from '../errors.js'
import { checkShape, showShape, sizeOf } from '../tensor/shape.js'
import { checkTensor, share, type Tensor } from '../tensor/tensor.js'

/**
 * The elements of `x` in the same order under another `shape` of the same size. One dimension may be -1: it becomes
 * whatever is left. Shares the memory of `x`. Every dtype.
 *
 * @example
 * ```ts
 * import { reshape, tensor } from 'ferrograd'
 * console.log(await reshape(tensor([1, 2, 3, 4]), [2, -1]).array()) // [ [ 1, 2 ], [ 3, 4 ] ]
 * ```
 */
export function reshape(x: Tensor, shape: readonly number[]): Tensor {
  checkTensor('reshape', 'x', x)
  const target = resolve(x, shape)
  const from = x.shape
  return record('reshape', share(x, target), [x], [], (dy) => [share(dy, from)])
}

function resolve(x: Tensor, shape: readonly number[]): readonly number[] {
  if (!Array.isArray(shape)) throw typeError(`reshape: shape must be an array of whole numbers. got ${show(shape)}`)
  const open = shape.indexOf(-1)
  if (open !== -1 && shape.includes(-1, open + 1)) {
    throw rangeError(`reshape: only one dimension can be -1. got ${showShape(shape)}`)
  }
  const known = checkShape('reshape', open === -1 ? shape : shape.with(open, 1))
  const size = sizeOf(known)
  if (open === -1 ? size !== x.size : size === 0 || x.size % size !== 0) {
    throw new ShapeError(
      `reshape: ${x.size} elements of shape ${showShape(x.shape)} do not fill shape ${showShape(shape)}`,
    )
  }
  return open === -1 ? known : known.map((dimension, axis) => (axis === open ? x.size / size : dimension))
}
