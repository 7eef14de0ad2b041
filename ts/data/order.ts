// The order in which samples are visited.

import { Random } from '../tensor/seed.js'

/**
 * @internal One pass over `count` samples, shuffled when there is a seed. The shuffle (Fisher and Yates 1938) is worked
 * out only as far as batches are taken, so that a large data set never holds up the event loop.
 */
export class Order {
  private readonly order: Int32Array
  private readonly random: Random | undefined
  private settled = 0

  constructor(count: number, seed: number | undefined) {
    this.order = new Int32Array(count)
    for (let i = 0; i < count; i++) this.order[i] = i
    this.random = seed === undefined ? undefined : new Random(seed)
  }

  /** The samples at the places from `start` up to `end`. */
  slice(start: number, end: number): Int32Array {
    const { order, random } = this
    if (random !== undefined) {
      for (; this.settled < end; this.settled++) {
        const other = this.settled + Math.floor(random.next() * (order.length - this.settled))
        const swap = order[this.settled]!
        order[this.settled] = order[other]!
        order[other] = swap
      }
    }
    return order.slice(start, end)
  }
}

/** @internal The seed of one pass over the data, of all that one seed stands for. */
export function seedOfPass(seed: number, pass: number): number {
  const mixed = new Random((seed + pass * 0x5851f42d) % 2 ** 53)
  return Math.floor(mixed.next() * 2 ** 53)
}
