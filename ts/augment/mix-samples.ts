// Weighted sums of pairs of samples.

import { record } from '../autograd/record.js'
import { native } from '../native/index.js'
import { empty, type Tensor } from '../tensor/tensor.js'

/** @internal With whom a sample is mixed, and its own share. The partners of a batch are a permutation. */
export interface Pair {
  readonly partner: number
  readonly share: number
}

/** @internal y[n] = share · x[n] + (1 − share) · x[partner], in the dtype of `x`. The gradient is such a sum as well. */
export function mixSamples(op: string, x: Tensor, pairs: readonly Pair[]): Tensor {
  const mix = (from: Tensor, words: readonly number[]): Tensor => {
    const to = empty(from.shape, from.dtype)
    native.mixSamples(from.handle, to.handle, pairs.length, Float64Array.from(words))
    return to
  }
  const y = mix(
    x,
    pairs.flatMap(({ partner, share }) => [partner, share, 1 - share]),
  )
  return record(op, y, [x], [], (dy) => {
    const back: number[] = []
    pairs.forEach(({ partner, share }, sample) => {
      back[3 * sample + 1] = share
      back[3 * partner] = sample
      back[3 * partner + 2] = 1 - share
    })
    return [mix(dy, back)]
  })
}
