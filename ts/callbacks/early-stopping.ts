// Ending a training that no longer improves.

import { FormatError } from '../errors.js'
import { checkBoolean, checkCount, checkNumber, checkOptions } from '../initializers/options.js'
import { sameShape } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { type Variable, variable } from '../tensor/variable.js'
import type { Logs } from '../training/logs.js'
import type { Trainable } from '../training/trainable.js'
import type { Callback, CallbackProgress, Training } from './callback.js'
import { Monitor, type MonitorOptions } from './monitor.js'

export interface EarlyStoppingOptions extends MonitorOptions {
  /** Epochs without improvement after which the training ends. Default 0, which counts as 1. */
  patience?: number
  /** Give the model back the weights of its best epoch, however the training ends. Default false. */
  restoreBestWeights?: boolean
  /** Patience is used up also by epochs that are not better than this. */
  baseline?: number
}

/** What {@link earlyStopping} returns. */
export class EarlyStopping implements Callback {
  /** The epoch after which the training was ended, if it was. */
  stoppedEpoch: number | undefined
  /** The epoch with the best figure. */
  bestEpoch: number | undefined
  /** The best figure. */
  best: number | undefined

  private readonly monitor: Monitor
  private readonly patience: number
  private readonly restore: boolean
  private readonly baseline: number | undefined
  private waited = 0
  private copies: Variable[] = []

  /** @internal */
  constructor(options: EarlyStoppingOptions) {
    const op = 'earlyStopping'
    checkOptions(op, options, ['monitor', 'minDelta', 'mode', 'patience', 'restoreBestWeights', 'baseline'])
    this.monitor = new Monitor(op, options)
    this.patience = checkCount(op, 'patience', options.patience ?? 0, 0)
    this.restore = checkBoolean(op, 'restoreBestWeights', options.restoreBestWeights ?? false)
    this.baseline = options.baseline === undefined ? undefined : checkNumber(op, 'baseline', options.baseline)
  }

  onTrainBegin(_logs: Record<string, never>, training: Training): void {
    this.monitor.begin(training)
    this.stoppedEpoch = undefined
    this.bestEpoch = undefined
    this.best = undefined
    this.waited = 0
  }

  onEpochEnd(epoch: number, logs: Logs, { model }: Training): void {
    const value = this.monitor.value(logs)
    this.waited++
    if (this.monitor.improves(value, this.best)) {
      this.best = value
      this.bestEpoch = epoch
      if (this.restore) this.keep(model.weights)
      if (this.baseline === undefined || this.monitor.improves(value, this.baseline)) this.waited = 0
    }
    if (this.waited >= Math.max(1, this.patience)) {
      this.stoppedEpoch = epoch
      model.stopTraining = true
    }
  }

  onTrainEnd(_logs: unknown, { model }: Training): void {
    this.copies.forEach((copy, i) => {
      model.weights[i]!.assign(copy)
      copy.dispose()
    })
    this.copies = []
  }

  /** @internal */
  $progress(): CallbackProgress {
    const { stoppedEpoch, bestEpoch, best, waited, copies } = this
    return { kind: 'earlyStopping', numbers: { stoppedEpoch, bestEpoch, best, waited }, tensors: copies }
  }

  /** @internal */
  $goOn({ numbers, tensors }: CallbackProgress, { weights }: Trainable): void {
    this.bestEpoch = numbers.bestEpoch
    this.best = numbers.best
    this.waited = numbers.waited ?? 0
    if (!this.restore || tensors.length === 0) return
    const fits = tensors.length === weights.length && tensors.every((x, i) => sameShape(x.shape, weights[i]!.shape))
    if (!fits) throw new FormatError('earlyStopping: the best weights of the file are not those of this model')
    this.keep(tensors)
  }

  /** Copies are made once and then written again: each takes as much memory as the model. */
  private keep(weights: readonly Tensor[]): void {
    if (this.copies.length === 0) this.copies = weights.map((weight) => variable(weight, { trainable: false }))
    else for (const [i, copy] of this.copies.entries()) copy.assign(weights[i]!)
  }
}

/**
 * A callback that ends the training when a figure has stopped improving: after `patience` epochs in a row that are not
 * better than the best one so far by more than `minDelta`.
 *
 * With `restoreBestWeights` the model ends up with the weights of the best epoch whatever ended the training: this
 * callback, the last epoch, an abort, or an error.
 *
 * @example
 * ```ts
 * import { callbacks } from 'ferrograd'
 * const stopper = callbacks.earlyStopping({ monitor: 'val_accuracy', patience: 5, restoreBestWeights: true })
 * // await model.fit(x, y, { epochs: 1000, validationSplit: 0.1, callbacks: [stopper] })
 * console.log(stopper.bestEpoch) // undefined
 * ```
 */
export function earlyStopping(options: EarlyStoppingOptions = {}): EarlyStopping {
  return new EarlyStopping(options)
}
