// The loop over epochs and batches.

import type { BatchLogs, Callback, CallbackProgress, Training } from '../callbacks/callback.js'
import { callEveryHook, callHooks, watchesBatches } from '../callbacks/hooks.js'
import type { Compiled } from './compile.js'
import { judge } from './evaluate.js'
import { Feed } from './feed.js'
import type { CheckedFitOptions } from './fit-options.js'
import { InFlight } from './in-flight.js'
import { asValidation, type History, type Logs, RunningScores, remember, type StepResult, scoresOf } from './logs.js'
import { callbackProgress, goOn, type Progress, progressOf, setProgress } from './progress.js'
import { freeBatch, type ReadyBatch, type Source } from './source.js'
import { trainStep } from './step.js'
import type { Trainable } from './trainable.js'
import { type ClassTable, takeClassWeights } from './weights.js'

/** @internal One training, from its first epoch to whatever ends it. */
export class Loop {
  private readonly history: History = { epoch: [], history: { loss: [] } }
  private readonly callbacks: readonly Callback[]
  private readonly training: Training
  private readonly feed: Feed
  private readonly flight: InFlight<StepResult>
  private lastLogs: Logs | Record<string, never> = {}
  private warned = false
  /** Batches of the first epoch that are done already. */
  private first: number

  constructor(
    private readonly model: Trainable,
    private readonly compiled: Compiled,
    private readonly options: CheckedFitOptions,
    private readonly train: Source,
    private readonly validation: Source | undefined,
    private classWeights: ClassTable | undefined,
    /** The training that this one goes on with. */
    private readonly before: Progress | undefined,
  ) {
    const { epochs, stepsPerEpoch, initialEpoch, print, hooks } = options
    const { optimizer, metrics } = compiled
    this.training = { model, optimizer, metrics, epochs, steps: stepsPerEpoch ?? train.steps, print }
    this.callbacks = hooks
    this.first = before?.position.batch ?? 0
    this.feed = new Feed(train, stepsPerEpoch, initialEpoch, this.first)
    // One step is queued while the one before it is computed, unless somebody wants to see the model in between.
    this.flight = new InFlight(watchesBatches(hooks) ? 1 : 2)
  }

  async run(): Promise<History> {
    const { model, options, callbacks, training } = this
    if (this.aborted()) return this.history
    model.stopTraining = false
    let failure: { error: unknown } | undefined
    try {
      // Before the callbacks begin anew: they may be the same ones.
      const kept = this.before?.callbacks() ?? []
      await callHooks(callbacks, 'onTrainBegin', {}, training)
      this.begin(kept)
      for (let epoch = options.initialEpoch; epoch < options.epochs; epoch++) {
        if (this.aborted() || model.stopTraining) break
        await this.epoch(epoch)
      }
    } catch (error) {
      failure = { error }
    }
    // Whatever ended it, the same things are put in order. The first error is the one to tell.
    const note = (error: unknown) => {
      failure ??= { error }
    }
    await this.flight.abandon()
    await this.feed.close().catch(note)
    await callEveryHook(callbacks, 'onTrainEnd', this.lastLogs, training).catch(note)
    this.classWeights?.table.dispose()
    if (failure !== undefined) throw failure.error
    return this.history
  }

  /** Takes over what the training that goes on had come to, and tells how far this one comes. */
  private begin(kept: readonly CallbackProgress[]): void {
    const { model, options, callbacks, before, first } = this
    if (before !== undefined) goOn(before, kept, callbacks, model)
    setProgress(model, {
      position: { epoch: options.initialEpoch, batch: first },
      batchSize: this.train.batchSize,
      orderSeed: options.orderSeed,
      callbacks: () => callbackProgress(callbacks),
    })
  }

  private aborted(): boolean {
    return this.options.signal?.aborted === true
  }

  private async epoch(epoch: number): Promise<void> {
    const { model, compiled, callbacks, training } = this
    await callHooks(callbacks, 'onEpochBegin', epoch, {}, training)
    const running = new RunningScores(compiled.metrics)
    const { first } = this
    this.first = 0
    await this.feed.begin()
    let number = first
    while (!this.aborted()) {
      const batch = await this.nextBatch()
      if (batch === undefined) break
      await this.step(epoch, number++, batch, running, number > first + 1)
      if (model.stopTraining) break
    }
    if (this.aborted()) return
    const progress = progressOf(model)!
    progress.position = { epoch: epoch + 1, batch: 0 }
    // All batches were done when the training stopped; what follows an epoch has been seen to.
    if (number === first && first > 0) return
    await this.flight.drain()
    if (this.aborted()) return
    const validated = this.validation && (await this.judge(this.validation))
    if (this.aborted()) return
    const logs: Logs = { ...running.scores(), ...validated }
    this.lastLogs = logs
    remember(this.history, epoch, logs)
    await callHooks(callbacks, 'onEpochEnd', epoch, logs, training)
    await callHooks(callbacks, '$onPosition', progress.position, training)
  }

  private async judge(validation: Source): Promise<Record<string, number | undefined> | undefined> {
    const judged = await judge('fit: validationData', this.model, this.compiled, validation, () => this.aborted())
    return judged && asValidation(judged)
  }

  /** Undefined at the end of the epoch, and as soon as the training is aborted, however long the batch takes. */
  private async nextBatch(): Promise<ReadyBatch | undefined> {
    const { signal } = this.options
    const next = this.feed.next()
    if (signal === undefined) return next
    return new Promise((resolve, reject) => {
      const stop = () => resolve(undefined)
      signal.addEventListener('abort', stop, { once: true })
      next.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
    })
  }

  /** `between` says that another batch went before in this training and epoch. */
  private async step(
    epoch: number,
    batch: number,
    ready: ReadyBatch,
    running: RunningScores,
    between: boolean,
  ): Promise<void> {
    const { model, compiled, callbacks, training, options } = this
    const progress = progressOf(model)!
    const { size } = ready
    try {
      if (options.classWeight !== undefined) {
        this.classWeights ??= takeClassWeights(ready.expected, options.classWeight)
      }
      if (between) await callHooks(callbacks, '$onPosition', progress.position, training)
      await callHooks(callbacks, 'onBatchBegin', batch, { batch, size }, training)
    } catch (error) {
      freeBatch(ready)
      throw error
    }
    const result = trainStep('fit', model, compiled, ready, this.classWeights, (gradients) => {
      for (const callback of callbacks) callback.$onGradients?.(gradients)
    })
    progress.position = { epoch, batch: batch + 1 }
    await this.flight.add(result, async (arrived) => {
      running.add(arrived, size)
      this.warn(arrived.loss, epoch, batch)
      if (callbacks.some((callback) => callback.onBatchEnd !== undefined)) {
        const logs = { ...scoresOf(compiled.metrics, arrived), batch, size } as BatchLogs
        await callHooks(callbacks, 'onBatchEnd', batch, logs, training)
      }
    })
  }

  /** Says once that the loss is no number. */
  private warn(loss: number, epoch: number, batch: number): void {
    if (Number.isFinite(loss) || this.warned) return
    this.warned = true
    if (this.options.verbose === 0) return
    this.options.print(
      `fit: the loss is ${loss} at batch ${batch} of epoch ${epoch}. look for such numbers in the inputs, or try a lower learning rate or clipNorm`,
    )
  }
}
