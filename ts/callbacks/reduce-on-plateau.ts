// Smaller steps where progress has stopped.

import { rangeError, show } from '../errors.js'
import { checkCount, checkNumber, checkOptions } from '../initializers/options.js'
import type { Logs } from '../training/logs.js'
import type { Callback, CallbackProgress, Training } from './callback.js'
import { Monitor, type MonitorOptions } from './monitor.js'

export interface ReduceOnPlateauOptions extends MonitorOptions {
  /** What the learning rate is multiplied with, between 0 and 1. Default 0.1. */
  factor?: number
  /** Epochs without improvement after which the rate is reduced. Default 10. */
  patience?: number
  /** Epochs after a reduction in which nothing is counted. Default 0. */
  cooldown?: number
  /** The rate is never reduced below this. Default 0. */
  minLearningRate?: number
}

class ReduceOnPlateau implements Callback {
  private readonly monitor: Monitor
  private readonly factor: number
  private readonly patience: number
  private readonly cooldown: number
  private readonly minLearningRate: number
  private best: number | undefined
  private waited = 0
  private resting = 0

  constructor(options: ReduceOnPlateauOptions) {
    const op = 'reduceOnPlateau'
    checkOptions(op, options, ['monitor', 'minDelta', 'mode', 'factor', 'patience', 'cooldown', 'minLearningRate'])
    this.monitor = new Monitor(op, { ...options, minDelta: options.minDelta ?? 1e-4 })
    const { factor = 0.1 } = options
    if (!(checkNumber(op, 'factor', factor) > 0 && factor < 1)) {
      throw rangeError(`${op}: factor must lie between 0 and 1. got ${show(factor)}`)
    }
    this.factor = factor
    this.patience = checkCount(op, 'patience', options.patience ?? 10, 0)
    this.cooldown = checkCount(op, 'cooldown', options.cooldown ?? 0, 0)
    this.minLearningRate = checkNumber(op, 'minLearningRate', options.minLearningRate ?? 0, 0)
  }

  onTrainBegin(_logs: Record<string, never>, training: Training): void {
    this.monitor.begin(training)
    this.best = undefined
    this.waited = 0
    this.resting = 0
  }

  /** @internal */
  $progress(): CallbackProgress {
    const { best, waited, resting } = this
    return { kind: 'reduceOnPlateau', numbers: { best, waited, resting }, tensors: [] }
  }

  /** @internal */
  $goOn({ numbers }: CallbackProgress): void {
    this.best = numbers.best
    this.waited = numbers.waited ?? 0
    this.resting = numbers.resting ?? 0
  }

  onEpochEnd(_epoch: number, logs: Logs, { optimizer }: Training): void {
    const value = this.monitor.value(logs)
    if (this.resting > 0) {
      this.resting--
      this.waited = 0
    }
    if (this.monitor.improves(value, this.best)) {
      this.best = value
      this.waited = 0
    } else if (this.resting === 0 && ++this.waited >= this.patience) {
      const reduced = Math.max(optimizer.learningRate * this.factor, this.minLearningRate)
      if (reduced < optimizer.learningRate) {
        optimizer.learningRate = reduced
        this.resting = this.cooldown
        this.waited = 0
      }
    }
  }
}

/**
 * A callback that multiplies the learning rate with `factor` whenever a figure has not improved by more than `minDelta`
 * (default 1e-4) for `patience` epochs. A schedule in the optimizer gives way to the reduced number.
 *
 * Epochs are counted as Keras does. PyTorch's `ReduceLROnPlateau` tolerates `patience` epochs and reduces after the next, so
 * its patience 2 is 3 here; its cooldown of 2, too, is 3 here, and its `threshold` is a share unless `threshold_mode='abs'`.
 *
 * @example
 * ```ts
 * import { callbacks } from 'ferrograd'
 * const plateau = callbacks.reduceOnPlateau({ monitor: 'val_loss', factor: 0.5, patience: 3 })
 * // await model.fit(x, y, { validationSplit: 0.1, callbacks: [plateau] })
 * console.log(typeof plateau.onEpochEnd) // function
 * ```
 */
export function reduceOnPlateau(options: ReduceOnPlateauOptions = {}): Callback {
  return new ReduceOnPlateau(options)
}
