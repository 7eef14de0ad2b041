// How the numbers of a tensor are distributed.

import type { MessageInitShape } from '@bufbuild/protobuf'
import type { TypedArray } from '../tensor/dtype.js'
import type { Tensor } from '../tensor/tensor.js'
import type { HistogramSchema } from './event_pb.js'

/** Buckets of equal width, as TensorBoard makes them. */
const BUCKETS = 30
/** Numbers that are looked at before the event loop has its turn. */
const TURN = 1 << 20

/** The distribution of the finite numbers of `x`, in buckets between the least and the largest. */
export async function histogramOf(x: Tensor): Promise<MessageInitShape<typeof HistogramSchema>> {
  const values = await x.data()
  const moments = { min: Infinity, max: -Infinity, num: 0, sum: 0, sumSquares: 0 }
  await inTurns(values, (part) => extend(moments, part))
  const { min, max, num } = moments
  if (num === 0) return { bucketLimit: [0], bucket: [0] }
  // A single number has no width.
  if (min === max) return { ...moments, bucketLimit: [max], bucket: [num] }
  const counts = new Float64Array(BUCKETS)
  await inTurns(values, (part) => count(counts, part, min, max))
  const bucketLimit = Array.from(counts, (_, i) => limit(min, max, (i + 1) / BUCKETS))
  return { ...moments, bucketLimit, bucket: [...counts] }
}

interface Moments {
  min: number
  max: number
  num: number
  sum: number
  sumSquares: number
}

function extend(moments: Moments, values: TypedArray): void {
  let { min, max, num, sum, sumSquares } = moments
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    // Neither infinite nor NaN.
    if (!(value - value === 0)) continue
    if (value < min) min = value
    if (value > max) max = value
    num++
    sum += value
    sumSquares += value * value
  }
  Object.assign(moments, { min, max, num, sum, sumSquares })
}

function count(counts: Float64Array, values: TypedArray, min: number, max: number): void {
  // Halves keep the difference of the largest numbers finite.
  const least = min / 2
  const scale = BUCKETS / (max / 2 - least)
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    if (!(value - value === 0)) continue
    const at = Math.floor((value / 2 - least) * scale)
    counts[at < BUCKETS ? at : BUCKETS - 1]! += 1
  }
}

function limit(min: number, max: number, share: number): number {
  return share === 1 ? max : min * (1 - share) + max * share
}

async function inTurns(values: TypedArray, take: (part: TypedArray) => void): Promise<void> {
  for (let start = 0; start < values.length; start += TURN) {
    if (start > 0) await new Promise((resolve) => setImmediate(resolve))
    take(values.subarray(start, start + TURN))
  }
}
