// The options of fit, checked.

import type { Callback } from '../callbacks/callback.js'
import { checkCallbacks } from '../callbacks/hooks.js'
import { EpochLines, ProgressBar } from '../callbacks/progress-bar.js'
import { rangeError, show, typeError } from '../errors.js'
import { checkBoolean, checkCount, checkOptions } from '../initializers/options.js'
import { checkSeed, nextSeed } from '../tensor/seed.js'
import { type BatchIterable, isBatches } from './batch-iterable.js'
import type { Inputs } from './inputs.js'
import type { Values } from './values.js'
import type { ClassWeight } from './weights.js'

/** Data to judge by: inputs and labels, with the weight of each sample if wanted, or batches. */
export type ValidationData = readonly [Inputs, Values] | readonly [Inputs, Values, Values] | BatchIterable

export interface FitOptions {
  /** Samples in a batch; the last one of an epoch holds what is left. Default 32. */
  batchSize?: number
  /** The epoch to stop before, counted from `initialEpoch`'s zero: 10 means epochs 0 to 9. Default 1. */
  epochs?: number
  /**
   * The first epoch, for a training that goes on. Default 0. Where it is `model.position.epoch`, the training goes on just
   * where the last one stopped, or where the file of the model was saved: with the batch that comes next, in the midst of an
   * epoch too, with the same order of samples unless `seed` says otherwise, and for a model out of a file with the random
   * numbers and the state of `earlyStopping`, `reduceOnPlateau` and `checkpoint`. Figures of such an epoch cover the
   * batches that were left.
   */
  initialEpoch?: number
  /**
   * Batches in an epoch. The next epoch goes on where this one ends, and data that runs out begins again. Default: all
   * there are.
   */
  stepsPerEpoch?: number
  /** The share of the samples, the last ones before any shuffling, that is not trained on but judged by. */
  validationSplit?: number
  /** What to judge by after every epoch. */
  validationData?: ValidationData
  /** A new random order for every epoch. Default true. */
  shuffle?: boolean
  /** Seed of the shuffling; without one, `setSeed` decides. */
  seed?: number
  /** A factor for the loss of each class, such as `{ 0: 1, 1: 5 }`. */
  classWeight?: ClassWeight
  /** A factor for the loss of each sample, `[samples]`. */
  sampleWeight?: Values
  /** Objects with hooks, instances of classes, or both. */
  callbacks?: Callback | readonly Callback[]
  /** 0: say nothing. 1: a progress bar on a terminal, else a line for each epoch. 2: a line for each epoch. Default 1. */
  verbose?: 0 | 1 | 2
  /** Ends the training when it aborts: `fit` resolves with the history so far. */
  signal?: AbortSignal
  /** Where lines for people to read go. Default `console.log`. */
  print?: (line: string) => void
}

const known = [
  'batchSize',
  'epochs',
  'initialEpoch',
  'stepsPerEpoch',
  'validationSplit',
  'validationData',
  'shuffle',
  'seed',
  'classWeight',
  'sampleWeight',
  'callbacks',
  'verbose',
  'signal',
  'print',
] as const

/** @internal */
export interface CheckedFitOptions extends FitOptions {
  readonly batchSize: number
  readonly epochs: number
  readonly initialEpoch: number
  /** Of the shuffling; undefined for the order of the data. */
  readonly orderSeed: number | undefined
  readonly hooks: readonly Callback[]
  readonly print: (line: string) => void
}

/** @internal Throws where an option is wrong, unknown, or would have no effect. */
export function checkFitOptions(
  options: FitOptions,
  batches: boolean,
  /** Seed of the order of a training that goes on. */
  goingOn: number | undefined = undefined,
): CheckedFitOptions {
  checkOptions('fit', options, known)
  const { batchSize = 32, epochs = 1, initialEpoch = 0, shuffle = true, seed, print = console.log } = options
  checkCount('fit', 'batchSize', batchSize)
  checkCount('fit', 'epochs', epochs)
  checkCount('fit', 'initialEpoch', initialEpoch, 0)
  if (options.stepsPerEpoch !== undefined) checkCount('fit', 'stepsPerEpoch', options.stepsPerEpoch)
  checkBoolean('fit', 'shuffle', shuffle)
  if (seed !== undefined) {
    checkSeed('fit', seed)
    if (!shuffle) throw typeError('fit: seed has no effect with shuffle: false')
  }
  checkValidation(options)
  if (batches) refuseForBatches(options)
  if (options.signal !== undefined && !(options.signal instanceof AbortSignal)) {
    throw typeError(`fit: signal must be an AbortSignal. got ${show(options.signal)}`)
  }
  if (typeof print !== 'function') throw typeError(`fit: print must be a function. got ${show(print)}`)
  const callbacks = checkCallbacks('fit', options.callbacks)
  return {
    ...options,
    batchSize,
    epochs,
    initialEpoch,
    orderSeed: shuffle && !batches ? (seed ?? goingOn ?? nextSeed()) : undefined,
    hooks: [...callbacks, ...reporters(options, callbacks)],
    print,
  }
}

function checkValidation({ validationSplit, validationData }: FitOptions): void {
  if (validationSplit !== undefined) {
    if (typeof validationSplit !== 'number' || !(validationSplit > 0 && validationSplit < 1)) {
      throw rangeError(`fit: validationSplit must lie between 0 and 1. got ${show(validationSplit)}`)
    }
    if (validationData !== undefined) throw typeError('fit: give validationSplit or validationData, not both')
  }
  if (validationData !== undefined && !isBatches(validationData)) {
    if (!Array.isArray(validationData) || validationData.length < 2 || validationData.length > 3) {
      throw typeError(
        `fit: validationData must be [x, y], [x, y, sampleWeight] or batches of { xs, ys }. got ${show(validationData)}`,
      )
    }
  }
}

function refuseForBatches(options: FitOptions): void {
  const names = ['validationSplit', 'shuffle', 'seed', 'sampleWeight'] as const
  const found = names.find((name) => options[name] !== undefined)
  const judged = options.validationData !== undefined && !isBatches(options.validationData)
  const wrong = found ?? (options.batchSize !== undefined && !judged ? 'batchSize' : undefined)
  if (wrong === undefined) return
  const way = wrong === 'sampleWeight' ? '. put it into the batches: { xs, ys, sampleWeight }' : ''
  throw typeError(`fit: ${wrong} has no effect on batches, which are taken as they come${way}`)
}

function reporters(options: FitOptions, callbacks: readonly Callback[]): Callback[] {
  const { verbose = 1, print } = options
  if (verbose !== 0 && verbose !== 1 && verbose !== 2) {
    throw rangeError(`fit: verbose must be 0, 1 or 2. got ${show(verbose)}`)
  }
  if (verbose === 0 || callbacks.some((callback) => callback instanceof ProgressBar)) return []
  return [verbose === 1 && print === undefined ? new ProgressBar() : new EpochLines()]
}
