// Rows of a tensor: picked to make a batch, placed to collect what batches gave.

import { noGrad } from '../autograd/record.js'
import { native } from '../native/index.js'
import { gather } from '../ops/index.js'
import { pixels } from '../ops/pixels.js'
import type { DType } from '../tensor/dtype.js'
import type { Tensor } from '../tensor/tensor.js'

/** @internal The rows of `x` that `order` names, in that order. Not recorded. */
export function pickRows(x: Tensor, order: Int32Array): Tensor {
  return noGrad(() => gather(x, order))
}

/**
 * @internal The rows of an input that `order` names, as a model takes them: pixels, which is what
 * uint8 are, become numbers from 0 to 1 of the dtype `float`; everything else stays what it is.
 */
export function pickInput(x: Tensor, order: Int32Array, float: DType): Tensor {
  return x.dtype === 'uint8' ? pixels(x, order, float) : pickRows(x, order)
}

/** @internal Writes `from` into the rows of `to` from `row` on. For a tensor that nobody else has seen yet. */
export function placeRows(from: Tensor, to: Tensor, row: number): void {
  const begins = to.shape.map((_, axis) => (axis === 0 ? row : 0))
  native.insertForward(from.handle, to.handle, Float64Array.of(...to.shape, ...begins, ...from.shape))
}
