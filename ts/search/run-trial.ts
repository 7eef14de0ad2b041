// One trial, on the thread at hand.

import type { Training } from '../callbacks/callback.js'
import type { Model } from '../models/model.js'
import { withSeed } from '../tensor/seed.js'
import type { History } from '../training/logs.js'
import type { Values } from '../training/values.js'
import type { Builder } from './build.js'
import { Divergence } from './divergence.js'
import { type Goal, type Mode, modeOf } from './objective.js'
import type { Params } from './space.js'

/** Samples with their labels, as `fit` takes them. */
export interface SearchPart {
  images: Values
  labels: Values
}

/** What to train on, and what to judge by. */
export interface SearchData {
  train: SearchPart
  validation: SearchPart
}

/** @internal What all trials have in common, as plain data. */
export interface Setup {
  readonly op: string
  readonly epochs: number
  readonly explosion: number
  readonly goal: Goal
}

/** @internal What is special to one trial, as plain data. */
export interface Job {
  readonly index: number
  readonly params: Params
  readonly seed: number
  readonly batchSize: number
}

/** @internal What came of a trial that did not fail. */
export interface Outcome {
  readonly history: History
  readonly mode: Mode
  /** Why it was cut short, if it was. */
  readonly diverged: string | undefined
}

/** @internal Builds and trains one model, and frees it. Undefined when `signal` ended it; rejects when the trial fails. */
export async function runTrial(
  setup: Setup,
  job: Job,
  builder: Builder,
  data: SearchData,
  signal: AbortSignal | undefined,
): Promise<Outcome | undefined> {
  return withSeed(job.seed, async () => {
    const { model, optimizer } = await builder.model(job.params)
    try {
      return await train(setup, job, model, data, signal)
    } finally {
      model.dispose()
      optimizer.dispose()
    }
  })
}

async function train(
  { op, epochs, explosion, goal }: Setup,
  { batchSize }: Job,
  model: Model,
  { train, validation }: SearchData,
  signal: AbortSignal | undefined,
): Promise<Outcome | undefined> {
  const ending = new AbortController()
  const end = () => ending.abort()
  signal?.addEventListener('abort', end)
  if (signal?.aborted) end()
  const divergence = new Divergence(explosion, end)
  let mode: Mode = 'max'
  const direction = {
    onTrainBegin: (_logs: unknown, training: Training) => {
      mode = modeOf(op, goal, training)
    },
  }
  try {
    const history = await model.fit(train.images, train.labels, {
      epochs,
      batchSize,
      validationData: [validation.images, validation.labels],
      callbacks: [direction, divergence],
      verbose: 0,
      signal: ending.signal,
    })
    if (divergence.reason === undefined && signal?.aborted) return undefined
    return { history, mode, diverged: divergence.reason }
  } finally {
    signal?.removeEventListener('abort', end)
  }
}
