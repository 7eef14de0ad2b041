// Rows of a tensor: picked to make a batch, placed to collect what batches gave.

import { native } from '../native/index.js'
import { sizeOf } from '../tensor/shape.js'
import { empty, type Tensor } from '../tensor/tensor.js'

/** @internal The rows of `x` that `order` names, in that order; every number in it names one. Not recorded. */
export function pickRows(x: Tensor, order: Int32Array): Tensor {
  const y = empty([order.length, ...x.shape.slice(1)], x.dtype)
  native.pickRows(x.handle, x.shape[0]!, order, y.handle)
  return y
}

/** @internal Writes `from` into the rows of `to` from `row` on. For a tensor that nobody else has seen yet. */
export function placeRows(from: Tensor, to: Tensor, row: number): void {
  native.placeRows(from.handle, to.handle, row * sizeOf(to.shape.slice(1)))
}
