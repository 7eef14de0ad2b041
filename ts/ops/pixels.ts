// Rows of a tensor as the floats that a model computes with.

import { native } from '../native/index.js'
import { tensor } from '../tensor/create.js'
import type { DType } from '../tensor/dtype.js'
import { scope } from '../tensor/scope.js'
import { sizeOf } from '../tensor/shape.js'
import { empty, type Tensor } from '../tensor/tensor.js'

/** Mean and standard deviation of each channel, of values from 0 to 1. */
export interface ChannelStatistics {
  mean: readonly number[]
  std: readonly number[]
}

/**
 * @internal The rows of `x` that `rows` names, all of them without, in one pass: uint8 are pixels and become x / 255, and
 * `normalize` makes (x − mean) / std of them, channel by channel. `x` is uint8, or already of the wanted `dtype`, a float.
 * Not recorded. The same numbers, bit for bit, as PyTorch's `ToTensor` and `Normalize`.
 */
export function pixels(x: Tensor, rows: Int32Array | undefined, dtype: DType, normalize?: ChannelStatistics): Tensor {
  const count = x.shape[0]!
  const inner = x.shape.slice(1)
  const picked = rows === undefined ? count : rows.length
  const { mean, std } = normalize ?? { mean: [], std: [] }
  const words = Float64Array.of(1, count, picked, sizeOf(inner))
  return scope(() => {
    const indices = rows === undefined ? 0 : tensor(rows).handle
    const y = empty([picked, ...inner], dtype)
    native.pixelsForward(x.handle, indices, y.handle, words, Float64Array.from(mean), Float64Array.from(std))
    return y
  })
}
