// What can be called while a model trains.

import type { Gradients } from '../autograd/backward.js'
import type { Metric } from '../metrics/metric.js'
import type { Optimizer } from '../optimizers/optimizer.js'
import type { Tensor } from '../tensor/tensor.js'
import type { Logs } from '../training/logs.js'
import type { Position } from '../training/progress.js'
import type { Trainable } from '../training/trainable.js'

/** The training that a callback is part of. */
export interface Training {
  readonly model: Trainable
  readonly optimizer: Optimizer
  readonly metrics: readonly Metric[]
  /** The epoch after the last one. */
  readonly epochs: number
  /** Batches in an epoch, where it is known. */
  readonly steps: number | undefined
  /** Where lines for people to read go. */
  readonly print: (line: string) => void
}

/** @internal What a callback goes on from: numbers, and tensors that are its own. */
export interface CallbackProgress {
  readonly kind: string
  readonly numbers: Readonly<Record<string, number | undefined>>
  readonly tensors: readonly Tensor[]
}

/** Figures of one batch, with its number in the epoch and its size. */
export type BatchLogs = Logs & { readonly batch: number; readonly size: number }

/**
 * Hooks that `fit` calls: a plain object with some of these functions, or an instance of a class. Each may be async; the
 * training waits for it. Epochs and batches are counted from 0.
 *
 * When a hook throws, the training ends, `onTrainEnd` is called as at any other end, and `fit` rejects with the error.
 *
 * To end the training early set `training.model.stopTraining = true`: the epoch ends with the batch at hand.
 */
export interface Callback {
  onTrainBegin?(logs: Record<string, never>, training: Training): unknown
  /** However the training ended; with the figures of the last complete epoch, if there is one. */
  onTrainEnd?(logs: Logs | Record<string, never>, training: Training): unknown
  onEpochBegin?(epoch: number, logs: Record<string, never>, training: Training): unknown
  /** After validation. */
  onEpochEnd?(epoch: number, logs: Logs, training: Training): unknown
  /** Before the batch is queued. */
  onBatchBegin?(batch: number, logs: { readonly batch: number; readonly size: number }, training: Training): unknown
  /** With the figures of this batch alone. The weights are as this batch left them, unless the callback is `passive`. */
  onBatchEnd?(batch: number, logs: BatchLogs, training: Training): unknown
  /**
   * Says that the batch hooks look only at their logs. The next batch is then queued without waiting for them; without
   * this, a callback with batch hooks makes the training go step by step. Default false.
   */
  readonly passive?: boolean
  /**
   * @internal Called last, between batches and after epochs, while weights, optimizer, random numbers and
   * `model.position` belong together.
   */
  $onPosition?(position: Readonly<Position>, training: Training): unknown
  /** @internal Sees the gradients of each batch before the optimizer does. They are freed when the step is queued. */
  $onGradients?(gradients: Gradients): void
  /** @internal What a training that goes on has to know. */
  $progress?(): CallbackProgress
  /** @internal Goes on from there. Called after `onTrainBegin`. */
  $goOn?(progress: CallbackProgress, model: Trainable): void
}
