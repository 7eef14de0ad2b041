// Trying learning rates from low to high in one short training.

import { noGrad } from '../autograd/record.js'
import { rangeError } from '../errors.js'
import { checkCount, checkNumber, checkOptions } from '../initializers/options.js'
import type { Model } from '../models/model.js'
import { add } from '../ops/index.js'
import { freshOptimizer } from '../optimizers/optimizer-from.js'
import { scope, unscoped } from '../tensor/scope.js'
import { checkSeed } from '../tensor/seed.js'
import { checkTrainable } from '../training/fit.js'
import type { Inputs } from '../training/inputs.js'
import type { Pass, ReadyBatch, Source } from '../training/source.js'
import { trainStep } from '../training/step.js'
import type { Values } from '../training/values.js'
import { hasExploded } from './has-exploded.js'
import { LearningRateReport, type RatePoint } from './learning-rate-report.js'
import { type Borrowed, borrow, Probe } from './probe.js'

export interface LearningRateRangeOptions {
  /** The lowest rate, above 0. Default 1e-6. */
  from?: number
  /** The highest rate. Default 1. */
  to?: number
  /** Steps, each with its own rate and a batch of its own. Default 100. */
  steps?: number
  /** Examples in a batch. Default 32. */
  batchSize?: number
  /** Examples whose loss is noted after each step, always the same ones, drawn at random. Default 128. */
  examples?: number
  /** Seed of the order of the examples and of the drawing. Default 0. */
  seed?: number
}

type Settings = Required<LearningRateRangeOptions>

/**
 * Which learning rates suit a model: trains it for some steps with rates that grow exponentially from `from` to `to`,
 * rateᵢ = from · (to / from)^(i / (steps − 1)), and notes after each what the loss of some examples is, the same ones
 * every time, penalties included. Stops when the loss explodes: when it is not finite or twice what it was at first.
 *
 * The suggestion is the rate at which the loss falls most steeply (for each tenfold of the rate), but at most a tenth of the
 * rate after which the loss is lowest, beyond which it rises. There is none when the loss does not fall by at least 2 %.
 *
 * The model must be compiled. A fresh optimizer of the same kind and options is used; in the end the model has its weights
 * back. Print the report for a table; `await report.svg()` is a chart.
 *
 * Throws a `GradientError` for a frozen model, and a `ShapeError`, `RangeError` or `TypeError` for arguments that do not fit.
 *
 * Source: Smith 2017; the notes of Stanford's CS231n, "Neural Networks Part 3".
 *
 * @example
 * ```ts
 * import { datasets, layers, learningRateRange, sequential, setSeed } from 'ferrograd'
 * setSeed(1)
 * const { train } = datasets.digits()
 * const model = sequential({ inputShape: [8, 8, 1], layers: [layers.flatten(), layers.dense({ units: 10 })] })
 * model.compile({ optimizer: 'sgd', loss: 'softmaxCrossEntropy' })
 * const report = await learningRateRange(model, train.images, train.labels, { from: 1e-4, to: 100 })
 * console.log(report.suggestion! > 1e-3 && report.suggestion! < 10) // true
 * ```
 */
export async function learningRateRange(
  model: Model,
  x: Inputs,
  y: Values,
  options: LearningRateRangeOptions = {},
): Promise<LearningRateReport> {
  const op = 'learningRateRange'
  const settings = checkSettings(op, options)
  return borrow(op, { model, x, y, seed: settings.seed, restore: true }, async (borrowed) => {
    checkTrainable(op, borrowed.trainable)
    const { points, first } = await sweep(borrowed, settings)
    return new LearningRateReport(points, first, settings.to)
  })
}

function checkSettings(op: string, options: LearningRateRangeOptions): Settings {
  checkOptions(op, options, ['from', 'to', 'steps', 'batchSize', 'examples', 'seed'])
  const from = checkNumber(op, 'from', options.from ?? 1e-6, 0, true)
  const to = checkNumber(op, 'to', options.to ?? 1, 0, true)
  if (to <= from) throw rangeError(`${op}: rates rise, so to must be above from. from ${from}, to ${to}`)
  return {
    from,
    to,
    steps: checkCount(op, 'steps', options.steps ?? 100, 10),
    batchSize: checkCount(op, 'batchSize', options.batchSize ?? 32),
    examples: checkCount(op, 'examples', options.examples ?? 128),
    seed: checkSeed(op, options.seed ?? 0),
  }
}

async function sweep(
  borrowed: Borrowed,
  { from, to, steps, batchSize, examples, seed }: Settings,
): Promise<{ points: RatePoint[]; first: number }> {
  const { op, trainable, compiled, samples } = borrowed
  const optimizer = freshOptimizer(compiled.optimizer)
  const training = { ...compiled, optimizer, metrics: [] }
  const nextBatch = endless(samples.batches(0, samples.count, batchSize, seed))
  const probe = new Probe(borrowed, examples, seed)
  const points: RatePoint[] = []
  try {
    const first = await lossNow(borrowed, probe)
    for (let i = 0; i < steps && Number.isFinite(first); i++) {
      const learningRate = from * (to / from) ** (i / (steps - 1))
      optimizer.learningRate = learningRate
      const step = trainStep(op, trainable, training, nextBatch(), undefined)
      const [loss] = await Promise.all([lossNow(borrowed, probe), step])
      points.push({ learningRate, loss })
      if (hasExploded(loss, first)) break
    }
    return { points, first }
  } finally {
    optimizer.dispose()
    probe.dispose()
  }
}

/** The loss of the probe as training sees it, but with nothing random. */
async function lossNow({ trainable }: Borrowed, probe: Probe): Promise<number> {
  const { reading } = scope(() =>
    noGrad(() => {
      const value = probe.loss(probe.predict())
      const penalty = trainable.regularization()
      return { reading: (penalty === undefined ? value : add(value, penalty)).item() }
    }),
  )
  return reading
}

/** The batches of one pass after the other. */
function endless(source: Source): () => ReadyBatch {
  let number = 0
  let pass: Pass = source.open(number, 0)
  return () =>
    unscoped(() => {
      const batch = pass.next() as ReadyBatch | undefined
      if (batch !== undefined) return batch
      pass = source.open(++number, 0)
      return pass.next() as ReadyBatch
    })
}
