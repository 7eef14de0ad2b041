// Axes in another order.

import { record } from '../autograd/record.js'
import { ShapeError, show, typeError } from '../errors.js'
import { native } from '../native/index.js'
import { checkAxis, showShape } from '../tensor/shape.js'
import { checkTensor, empty, type Tensor } from '../tensor/tensor.js'

/**
 * The elements of `x` with its axes in another order: axis i of the result is axis `axes[i]` of `x`. Without `axes` the
 * order is reversed. Negative axes count from the last. Every dtype.
 *
 * Throws a `ShapeError` unless `axes` names every axis once.
 *
 * @example
 * ```ts
 * import { tensor, transpose } from 'ferrograd'
 * console.log(await transpose(tensor([[1, 2, 3], [4, 5, 6]])).array()) // [ [ 1, 4 ], [ 2, 5 ], [ 3, 6 ] ]
 * ```
 */
export function transpose(x: Tensor, axes?: readonly number[]): Tensor {
  checkTensor('transpose', 'x', x)
  const order = checkOrder(x.shape, axes)
  const inverse = new Array<number>(order.length)
  order.forEach((axis, i) => {
    inverse[axis] = i
  })
  return record('transpose', permuted(x, order), [x], [], (dy) => [permuted(dy, inverse)])
}

function checkOrder(shape: readonly number[], axes: unknown): readonly number[] {
  const rank = shape.length
  if (axes === undefined) return shape.map((_, i) => rank - 1 - i)
  if (!Array.isArray(axes)) throw typeError(`transpose: axes must be an array of whole numbers. got ${show(axes)}`)
  if (axes.length !== rank) {
    throw new ShapeError(
      `transpose: axes names ${axes.length} of ${rank} axes. axes ${show(axes)}, input ${showShape(shape)}. name every axis once`,
    )
  }
  const order = axes.map((axis) => checkAxis('transpose', axis, rank))
  const twice = order.find((axis, i) => order.indexOf(axis) !== i)
  if (twice !== undefined) {
    throw new ShapeError(
      `transpose: axis ${twice} is named twice. axes ${show(axes)}, input ${showShape(shape)}. name every axis once`,
    )
  }
  return order
}

function permuted(x: Tensor, order: readonly number[]): Tensor {
  const y = empty(
    order.map((axis) => x.shape[axis]!),
    x.dtype,
  )
  native.transposeForward(x.handle, y.handle, Float64Array.of(...x.shape, ...order))
  return y
}
