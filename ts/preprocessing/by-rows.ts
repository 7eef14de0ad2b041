// Samples in batches, so that what a transformation makes on its way never holds all of them at once.

import { noGrad, recording } from '../autograd/record.js'
import { placeRows } from '../data/rows.js'
import { cast, slice } from '../ops/index.js'
import { type DType, isFloat } from '../tensor/dtype.js'
import { scope } from '../tensor/scope.js'
import { sizeOf } from '../tensor/shape.js'
import { empty, type Tensor } from '../tensor/tensor.js'

/** Numbers in one batch. */
const MOST_NUMBERS = 2 ** 22

/** @internal The dtype that inputs of `dtype` are transformed in. */
export function floatDType(dtype: DType): 'float32' | 'float64' {
  return dtype === 'float64' ? 'float64' : 'float32'
}

/** @internal `x`, or its integers as float32. */
export function floatOf(x: Tensor): Tensor {
  return isFloat(x.dtype) ? x : cast(x, { dtype: 'float32' })
}

/**
 * @internal `apply` on all rows of `x`, batch by batch; the result has `shape`. In one piece, and with a gradient, where
 * `x` is small or recorded.
 */
export function byRows(x: Tensor, shape: readonly number[], apply: (rows: Tensor) => Tensor): Tensor {
  const count = x.shape[0]!
  const widest = Math.max(sizeOf(x.shape), sizeOf(shape)) / Math.max(count, 1)
  const size = Math.max(1, Math.floor(MOST_NUMBERS / Math.max(widest, 1)))
  if (count <= size || recording(x)) return scope(() => apply(x))
  const y = empty(shape, floatDType(x.dtype))
  for (let start = 0; start < count; start += size) {
    scope(() =>
      noGrad(() => placeRows(apply(slice(x, { begin: start, size: Math.min(size, count - start) })), y, start)),
    )
  }
  return y
}
