// How far the training of a model has come: what another one goes on from.

import type { Callback, CallbackProgress } from '../callbacks/callback.js'
import { rangeError, show } from '../errors.js'
import { checkCount, checkOptions } from '../initializers/options.js'
import { restoreSeed, type SeedState } from '../tensor/seed.js'
import type { Trainable } from './trainable.js'

/** The batch that comes next: its epoch, and its number in the epoch, both counted from 0. */
export interface Position {
  epoch: number
  batch: number
}

/** @internal What a training goes on from, beside the weights and the optimizer. */
export interface Progress {
  position: Readonly<Position>
  /** Samples in a batch. Undefined for batches of the user's. */
  readonly batchSize: number | undefined
  /** Seed of the order of the samples. Undefined for the order of the data. */
  readonly orderSeed: number | undefined
  /** Where random numbers go on, for a model out of a file. */
  random?: SeedState | undefined
  /** The state of callbacks. */
  readonly callbacks: () => readonly CallbackProgress[]
}

const trainings = new WeakMap<Trainable, Progress>()
const start: Readonly<Position> = { epoch: 0, batch: 0 }

/** @internal Undefined before the first training. */
export function progressOf(model: Trainable): Progress | undefined {
  return trainings.get(model)
}

/** @internal */
export function setProgress(model: Trainable, progress: Progress): void {
  trainings.set(model, progress)
}

/** @internal The batch that comes next. */
export function positionOf(model: Trainable): Position {
  return { ...(trainings.get(model)?.position ?? start) }
}

/** @internal Lets the next training go on elsewhere. */
export function moveTo(label: string, model: Trainable, position: unknown): void {
  const op = `${label}: position`
  checkOptions(op, position, ['epoch', 'batch'])
  const { epoch, batch } = position as Position
  checkCount(op, 'epoch', epoch, 0)
  checkCount(op, 'batch', batch, 0)
  const before = trainings.get(model)
  trainings.set(model, {
    ...(before ?? { batchSize: undefined, orderSeed: undefined, callbacks: () => [] }),
    position: { epoch, batch },
  })
}

/** @internal The state of those callbacks that have some. */
export function callbackProgress(callbacks: readonly Callback[]): readonly CallbackProgress[] {
  return callbacks.flatMap((callback) => callback.$progress?.() ?? [])
}

/** @internal The training that `initialEpoch`, where the user gives it, goes on with. */
export function trainingToGoOn(model: Trainable, initialEpoch: number | undefined): Progress | undefined {
  const progress = trainings.get(model)
  if (progress === undefined || initialEpoch !== progress.position.epoch) return undefined
  return initialEpoch > 0 || progress.position.batch > 0 ? progress : undefined
}

/** @internal Throws where the batches of an epoch in the midst of which a training stopped were others. */
export function checkBatches(progress: Progress, batchSize: number | undefined, steps: number | undefined): void {
  const { epoch, batch } = progress.position
  if (batch === 0) return
  const stopped = `fit: the training stopped in epoch ${epoch} after ${batch} batches`
  const way = `set model.position = { epoch: ${epoch}, batch: 0 } to begin the epoch again`
  if (progress.batchSize !== undefined && batchSize !== undefined && batchSize !== progress.batchSize) {
    throw rangeError(
      `${stopped} of ${progress.batchSize} samples, and batchSize is now ${show(batchSize)}. give batchSize: ${progress.batchSize}, or ${way}`,
    )
  }
  if (steps !== undefined && batch > steps) {
    throw rangeError(`${stopped}, and now an epoch has ${steps}. give the same data, or ${way}`)
  }
}

/** @internal Lets random numbers and callbacks go on, these from what they were when it was kept. Random numbers do so once: then they are where they should be. */
export function goOn(
  progress: Progress,
  kept: readonly CallbackProgress[],
  callbacks: readonly Callback[],
  model: Trainable,
): void {
  const left = [...kept]
  for (const callback of callbacks) {
    const at = left.findIndex(({ kind }) => kind === callback.$progress?.().kind)
    if (at >= 0) callback.$goOn?.(left.splice(at, 1)[0]!, model)
  }
  if (progress.random !== undefined) restoreSeed(progress.random)
  progress.random = undefined
}
