// The batches of one epoch after the other.

import { typeError } from '../errors.js'
import { freeBatch, type Pass, type ReadyBatch, type Source } from './source.js'

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
    /** Batches of the first epoch that are done already. */
    private first = 0,
  ) {
    // A training that goes on sees the batches it would have seen without the break.
    const done = initialEpoch * (stepsPerEpoch ?? 0) + (stepsPerEpoch === undefined ? 0 : first)
    this.number = stepsPerEpoch === undefined ? initialEpoch : Math.floor(done / (source.steps ?? Infinity))
    if (stepsPerEpoch !== undefined) this.pass = source.open(this.number, done % (source.steps ?? Infinity))
  }

  /** Begins an epoch. */
  async begin(): Promise<void> {
    const { first, source } = this
    this.first = 0
    this.taken = first
    this.epochs++
    if (this.stepsPerEpoch === undefined) this.pass = source.open(this.number++, first)
    if (source.jumps) return
    // What cannot jump is gone through.
    for (let i = 0; i < first; i++) {
      const batch = await this.pass!.next()
      if (batch === undefined) return
      freeBatch(batch)
    }
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
