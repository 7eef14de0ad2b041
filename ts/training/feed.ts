// The batches of one epoch after the other.

import { typeError } from '../errors.js'
import type { Pass, ReadyBatch, Source } from './source.js'

/** @internal Cuts passes over the data into epochs. */
export class Feed {
  private pass: Pass | undefined
  private number: number
  private taken = 0
  private epochs = 0

  constructor(
    private readonly source: Source,
    private readonly stepsPerEpoch: number | undefined,
    initialEpoch: number,
  ) {
    // A training that goes on sees the batches it would have seen without the break.
    const done = initialEpoch * (stepsPerEpoch ?? 0)
    this.number = stepsPerEpoch === undefined ? initialEpoch : Math.floor(done / (source.steps ?? Infinity))
    if (stepsPerEpoch !== undefined) this.pass = source.open(this.number, done % (source.steps ?? Infinity))
  }

  /** Begins an epoch. */
  begin(): void {
    this.taken = 0
    this.epochs++
    if (this.stepsPerEpoch === undefined) this.pass = this.source.open(this.number++, 0)
  }

  /** The next batch of the epoch; undefined at its end. */
  async next(): Promise<ReadyBatch | undefined> {
    if (this.taken === this.stepsPerEpoch) return undefined
    let batch = await this.pass!.next()
    if (batch === undefined && this.stepsPerEpoch !== undefined) {
      this.pass = this.source.open(++this.number, 0)
      batch = await this.pass.next()
    }
    if (batch === undefined && (this.taken === 0 || this.stepsPerEpoch !== undefined)) throw this.ranOut()
    this.taken++
    return batch
  }

  async close(): Promise<void> {
    await this.pass?.close()
  }

  private ranOut(): TypeError {
    if (this.epochs === 1 && this.taken === 0) return typeError('fit: there are no batches')
    const steps = this.stepsPerEpoch === undefined ? '' : `, after ${this.taken} of ${this.stepsPerEpoch} batches,`
    return typeError(
      `fit: the batches ran out in the ${ordinal(this.epochs)} epoch${steps} and do not begin again. a generator can be gone through once: pass an object whose [Symbol.asyncIterator]() begins anew, such as batches(…), or fewer epochs`,
    )
  }
}

function ordinal(n: number): string {
  const last = n % 100 >= 11 && n % 100 <= 13 ? 0 : n % 10
  return `${n}${['th', 'st', 'nd', 'rd'][last] ?? 'th'}`
}
