// Watching one figure for improvement.

import { show, typeError } from '../errors.js'
import { checkChoice, checkNumber, listed } from '../initializers/options.js'
import type { Logs } from '../training/logs.js'
import type { Training } from './callback.js'

export interface MonitorOptions {
  /** The figure to watch. Default 'val_loss'. */
  monitor?: string
  /** Changes that are not larger than this are no improvement. */
  minDelta?: number
  /** Whether less or more is better. Default 'auto': what the metric says of itself; less for losses. */
  mode?: 'auto' | 'min' | 'max'
}

/** @internal Which of two values of the figure is better, and by how much. */
export class Monitor {
  readonly key: string
  private readonly minDelta: number
  private readonly mode: 'auto' | 'min' | 'max'
  private sign = 1

  constructor(
    private readonly op: string,
    { monitor = 'val_loss', minDelta = 0, mode = 'auto' }: MonitorOptions,
  ) {
    if (typeof monitor !== 'string' || monitor === '') {
      throw typeError(`${op}: monitor must be the name of a figure. got ${show(monitor)}`)
    }
    this.key = monitor === 'acc' || monitor === 'val_acc' ? monitor.replace('acc', 'accuracy') : monitor
    this.minDelta = checkNumber(op, 'minDelta', minDelta, 0)
    this.mode = checkChoice(op, 'mode', mode, ['auto', 'min', 'max'])
  }

  /** Settles which way is up. */
  begin(training: Training): void {
    const name = this.key.replace(/^val_/, '')
    const better = training.metrics.find((metric) => metric.name === name)?.better ?? 'lower'
    this.sign = this.mode === 'auto' ? (better === 'higher' ? 1 : -1) : this.mode === 'max' ? 1 : -1
  }

  /** The figure. Throws when it is not there. */
  value(logs: Logs): number {
    const value = logs[this.key]
    if (value === undefined) {
      const way = this.key.startsWith('val_') ? 'give fit validationData or validationSplit, or ' : ''
      throw typeError(
        `${this.op}: there is no "${this.key}" to watch among ${listed(Object.keys(logs))}. ${way}set monitor to one of them`,
      )
    }
    return value
  }

  /** Whether `value` is better than `best` by more than `minDelta`. A NaN never is; any number is better than nothing. */
  improves(value: number, best: number | undefined): boolean {
    if (best === undefined) return !Number.isNaN(value)
    return (value - best) * this.sign > this.minDelta
  }
}
