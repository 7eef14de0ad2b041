// Saving a model while it trains.

import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { fileError, show, typeError } from '../errors.js'
import { checkBoolean, checkCount, checkOptions } from '../initializers/options.js'
import { checkPath, type FilePath } from '../io/file-path.js'
import type { Logs } from '../training/logs.js'
import type { Position } from '../training/progress.js'
import type { Trainable } from '../training/trainable.js'
import type { Callback, CallbackProgress, Training } from './callback.js'
import { Monitor, type MonitorOptions } from './monitor.js'
import { NumberedPath } from './numbered-path.js'

export interface CheckpointOptions extends MonitorOptions {
  /**
   * The file, replaced every time; or with `{epoch}` and `{batch}` in its name one file for each place in the training: as
   * many epochs as are complete, and batches of the next.
   */
  path: FilePath
  /** Epochs from one save to the next, or `{ batches }`, counted over all epochs. Default 1. */
  every?: number | { batches: number }
  /** Remove all but this many of the latest files. Needs `{epoch}` or `{batch}` in the path. Default: keep all. */
  keepLast?: number
  /** Save only after epochs that are better than all before them. Default false. */
  saveBestOnly?: boolean
  /** As for `save`. Default true: training can go on from the file. */
  includeOptimizer?: boolean
}

/** What {@link checkpoint} returns. */
export class Checkpoint implements Callback {
  /** The file that was saved last, if one was. */
  lastPath: string | undefined
  /** The best figure so far, with `saveBestOnly`. */
  best: number | undefined

  private readonly files: NumberedPath
  private readonly epochs: number | undefined
  private readonly batches: number | undefined
  private readonly keepLast: number | undefined
  private readonly monitor: Monitor | undefined
  private readonly includeOptimizer: boolean
  /** Epochs or batches since the last save. */
  private waited = 0
  private logs: Logs | undefined
  private writing: Promise<void> = Promise.resolve()

  /** @internal */
  constructor(options: CheckpointOptions) {
    const op = 'checkpoint'
    const known = ['path', 'every', 'keepLast', 'saveBestOnly', 'monitor', 'minDelta', 'mode', 'includeOptimizer']
    checkOptions(op, options, known)
    this.files = new NumberedPath(op, checkPath(op, options.path))
    const { every = 1, keepLast, saveBestOnly = false, includeOptimizer = true } = options
    if (typeof every === 'object' && every !== null) {
      checkOptions(`${op}: every`, every, ['batches'])
      this.batches = checkCount(op, 'every.batches', every.batches)
    } else {
      this.epochs = checkCount(op, 'every', every)
    }
    this.keepLast = keepLast === undefined ? undefined : checkCount(op, 'keepLast', keepLast)
    if (keepLast !== undefined && !this.files.varies) {
      throw typeError(
        `${op}: keepLast needs a file for each save: put {epoch} or {batch} into path. got ${show(String(options.path))}`,
      )
    }
    this.includeOptimizer = checkBoolean(op, 'includeOptimizer', includeOptimizer)
    const watching = ['monitor', 'minDelta', 'mode'].find(
      (name) => options[name as keyof CheckpointOptions] !== undefined,
    )
    if (!checkBoolean(op, 'saveBestOnly', saveBestOnly) && watching !== undefined) {
      throw typeError(`${op}: ${watching} has no effect without saveBestOnly: true`)
    }
    if (saveBestOnly && this.batches !== undefined) {
      throw typeError(`${op}: saveBestOnly looks at the figures of epochs. give every as a number of them`)
    }
    this.monitor = saveBestOnly ? new Monitor(op, options) : undefined
  }

  async onTrainBegin(_logs: Record<string, never>, training: Training): Promise<void> {
    if (training.model.save === undefined) {
      throw typeError(`checkpoint: model "${training.model.name}" has no method save`)
    }
    this.monitor?.begin(training)
    this.best = undefined
    this.waited = 0
    this.logs = undefined
    // Now, and not when the first epoch is lost.
    const { folder } = this.files
    await access(folder, constants.W_OK).catch((error) => {
      throw fileError(`checkpoint: nothing can be saved in ${show(folder)}`, error)
    })
  }

  onEpochEnd(_epoch: number, logs: Logs): void {
    this.logs = logs
  }

  /** @internal */
  async $onPosition(position: Readonly<Position>, { model }: Training): Promise<void> {
    const { logs, monitor } = this
    this.logs = undefined
    // One batch was done since the last call, or an epoch, which has figures.
    if (this.batches === undefined && logs === undefined) return
    if (++this.waited < (this.batches ?? this.epochs!)) return
    this.waited = 0
    if (monitor !== undefined) {
      const value = monitor.value(logs!)
      if (!monitor.improves(value, this.best)) return
      this.best = value
    }
    await this.save(position, model)
  }

  /** @internal */
  $progress(): CallbackProgress {
    return { kind: 'checkpoint', numbers: { best: this.best, waited: this.waited }, tensors: [] }
  }

  /** @internal */
  $goOn({ numbers }: CallbackProgress): void {
    this.best = numbers.best
    this.waited = numbers.waited ?? 0
  }

  /** Waits until the last file is there. */
  async onTrainEnd(): Promise<void> {
    await this.writing
  }

  /** Copies the model, and writes the copy while the training goes on: one at a time. */
  private async save(position: Readonly<Position>, model: Trainable): Promise<void> {
    await this.writing
    const path = this.files.at(position)
    const saved = model.save!(path, { includeOptimizer: this.includeOptimizer })
    this.writing = saved.then(async () => {
      this.lastPath = path
      if (this.keepLast !== undefined) await this.files.keep(this.keepLast, position)
    })
    // Reported by the next save, or at the end.
    this.writing.catch(() => {})
  }
}

/**
 * A callback that saves the model while it trains, with `model.save`, so that a training that was cut off, by a crash or by
 * its user, goes on from the last file: `loadModel(path)`, then `fit` with `initialEpoch: model.position.epoch`.
 *
 * The training waits while the weights are copied, and goes on while they are written; only when the file before is not
 * finished, it waits for that. `fit` resolves when the last file is there. An error is reported by the next save, or when the
 * training ends. A file is always whole: the last one that was finished.
 *
 * @example
 * ```ts
 * import { callbacks, datasets, layers, loadModel, sequential } from 'ferrograd'
 * import { tmpdir } from 'node:os'
 * const { train } = datasets.spiral({ points: 50, classes: 3, seed: 1 })
 * const model = sequential({ inputShape: [2], layers: [layers.dense({ units: 3 })] })
 * model.compile({ optimizer: 'adam', loss: 'softmaxCrossEntropy' })
 * const path = `${tmpdir()}/checkpoint-${process.pid}.safetensors`
 * const saver = callbacks.checkpoint({ path, every: { batches: 2 } })
 * await model.fit(train.images, train.labels, { epochs: 3, verbose: 0, callbacks: saver })
 * console.log((await loadModel(path)).position) // { epoch: 2, batch: 4 }
 * ```
 */
export function checkpoint(options: CheckpointOptions): Checkpoint {
  return new Checkpoint(options)
}
