// Samples that can be asked for by their numbers.

import { Order } from './order.js'
import type { NumberedBatch, Plan, SampleSource } from './sample-source.js'

/**
 * @internal A source out of a function that loads the samples of some numbers, from 0 to `count` - 1. It gives undefined
 * where none of them can be had.
 */
export function indexedSource(
  about: { count: number; classes: number | undefined; waits: boolean },
  load: (samples: Int32Array, plan: Plan) => NumberedBatch | undefined | Promise<NumberedBatch | undefined>,
): SampleSource {
  const { count } = about
  return {
    ...about,
    async *open(plan) {
      const { size, seed, first, dropRemainder } = plan
      const order = new Order(count, seed)
      for (let start = first * size; start < count; start += size) {
        if (dropRemainder && start + size > count) return
        const batch = await load(order.slice(start, Math.min(start + size, count)), plan)
        if (batch !== undefined) yield batch
      }
    },
  }
}
