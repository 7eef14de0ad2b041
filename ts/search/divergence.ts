// Noticing early that a training leads nowhere.

import type { BatchLogs, Callback } from '../callbacks/callback.js'
import type { Logs } from '../training/logs.js'

/** Batches whose mean loss is compared with the first loss: one odd batch is no explosion. */
const WINDOW = 10

/** Calls `stop` once, with the reason in words, when the loss is no number or explodes. */
export class Divergence implements Callback {
  readonly passive = true
  reason: string | undefined
  private epoch = 0
  private first: number | undefined
  private readonly latest: number[] = []

  /** `explosion`: how many times the first loss is too much. */
  constructor(
    private readonly explosion: number,
    private readonly stop: () => void,
  ) {}

  onEpochBegin(epoch: number): void {
    this.epoch = epoch
  }

  onBatchEnd(batch: number, { loss }: BatchLogs): void {
    const where = `at batch ${batch} of epoch ${this.epoch}`
    if (!Number.isFinite(loss)) {
      this.give(`the loss is ${loss} ${where}`)
      return
    }
    this.first ??= loss
    this.latest.push(loss)
    if (this.latest.length > WINDOW) this.latest.shift()
    if (this.latest.length < WINDOW || this.first <= 0) return
    const mean = this.latest.reduce((sum, value) => sum + value, 0) / WINDOW
    if (mean > this.explosion * this.first) {
      this.give(
        `the loss explodes: its mean over ${WINDOW} batches is ${mean.toPrecision(3)} ${where}, more than ${this.explosion} times the first loss, ${this.first.toPrecision(3)}`,
      )
    }
  }

  onEpochEnd(epoch: number, { loss, val_loss }: Logs): void {
    const [name, value] = Number.isFinite(loss) ? ['val_loss', val_loss] : ['loss', loss]
    if (value !== undefined && !Number.isFinite(value)) this.give(`${name} is ${value} after epoch ${epoch}`)
  }

  private give(reason: string): void {
    if (this.reason !== undefined) return
    this.reason = reason
    this.stop()
  }
}
