// Learning a few examples by heart, which every sound model can.

import { backward } from '../autograd/backward.js'
import { checkBoolean, checkCount, checkOptions } from '../initializers/options.js'
import { accuracy } from '../metrics/accuracy.js'
import { type Metric, measureBatch } from '../metrics/metric.js'
import type { Model } from '../models/model.js'
import type { Optimizer } from '../optimizers/optimizer.js'
import { freshOptimizer } from '../optimizers/optimizer-from.js'
import { isFloat } from '../tensor/dtype.js'
import { scope } from '../tensor/scope.js'
import { checkSeed } from '../tensor/seed.js'
import { checkTrainable } from '../training/fit.js'
import type { Inputs } from '../training/inputs.js'
import { type History, remember } from '../training/logs.js'
import type { Values } from '../training/values.js'
import { OverfitReport } from './overfit-report.js'
import { diagnose } from './overfit-symptoms.js'
import { type Borrowed, borrow, Probe } from './probe.js'

export interface OverfitOptions {
  /** How many examples, drawn at random. Default 20. */
  examples?: number
  /** Steps at most, each on all examples together. Default 500. */
  epochs?: number
  /** Seed of the drawing. Default 0. */
  seed?: number
  /** Give the model its weights back. Default true. */
  restoreWeights?: boolean
}

/** @internal How far it came. */
export interface Attempt {
  readonly learned: boolean
  readonly history: History
  /** The last predictions, row by row, and how many numbers each example has. */
  readonly scores: ArrayLike<number>
  readonly perExample: number
  readonly learningRate: number
}

/**
 * Whether the model can learn a few examples by heart: a classifier all of them (accuracy 1), another one until the loss is a
 * hundredth of the first. If a model cannot do that, it is no use to train it on more.
 *
 * The model must be compiled. A fresh optimizer of the same kind and options is used, penalties of regularizers are left
 * out, layers of dropout and of random changes to images do nothing, and batch normalisation uses the batch, as in training.
 * Each step takes all examples. In the end the model has its weights back; its own optimizer is not touched.
 *
 * The verdict says what was seen when it fails: numbers that are not finite and where, equal examples with different labels, a
 * loss that exploded (rate too high), did not move (rate too low), was still falling (too few epochs) or stopped
 * at the same prediction for all (dead units).
 *
 * Throws a `GradientError` for a frozen model, and a `ShapeError`, `RangeError` or `TypeError` for arguments that do not fit.
 *
 * Source: the notes of Stanford's CS231n, "Neural Networks Part 3".
 *
 * @example
 * ```ts
 * import { datasets, layers, overfitSmallBatch, sequential, setSeed } from 'ferrograd'
 * setSeed(1)
 * const { train } = datasets.digits()
 * const model = sequential({ inputShape: [8, 8, 1], layers: [layers.flatten(), layers.dense({ units: 10 })] })
 * model.compile({ optimizer: 'adam', loss: 'softmaxCrossEntropy' })
 * const report = await overfitSmallBatch(model, train.images, train.labels, { examples: 20 })
 * console.log(report.passed, report.accuracy) // true 1
 * ```
 */
export async function overfitSmallBatch(
  model: Model,
  x: Inputs,
  y: Values,
  options: OverfitOptions = {},
): Promise<OverfitReport> {
  const op = 'overfitSmallBatch'
  checkOptions(op, options, ['examples', 'epochs', 'seed', 'restoreWeights'])
  const examples = checkCount(op, 'examples', options.examples ?? 20)
  const epochs = checkCount(op, 'epochs', options.epochs ?? 500)
  const seed = checkSeed(op, options.seed ?? 0)
  const restore = checkBoolean(op, 'restoreWeights', options.restoreWeights ?? true)
  return borrow(op, { model, x, y, seed, restore }, async (borrowed) => {
    checkTrainable(op, borrowed.trainable)
    const probe = new Probe(borrowed, examples, seed)
    try {
      const attempt = await learn(borrowed, probe, epochs)
      const count = probe.rows.length
      if (attempt.learned) {
        return new OverfitReport(true, undefined, learnedIn(attempt), count, attempt.history)
      }
      const { symptom, verdict } = await diagnose(borrowed, probe, attempt)
      return new OverfitReport(false, symptom, verdict, count, attempt.history)
    } finally {
      probe.dispose()
    }
  })
}

function learnedIn({ history: { epoch, history } }: Attempt): string {
  const what = history.accuracy === undefined ? 'the loss fell to a hundredth' : 'all are right'
  const steps = epoch.length - 1
  return `${what} after ${steps} ${steps === 1 ? 'step' : 'steps'}`
}

async function learn(borrowed: Borrowed, probe: Probe, epochs: number): Promise<Attempt> {
  const optimizer = freshOptimizer(borrowed.compiled.optimizer)
  const metric = classifies(borrowed, probe) ? accuracy() : undefined
  const history: History = { epoch: [], history: { loss: [] } }
  const { learningRate } = optimizer
  try {
    for (let epoch = 0; ; epoch++) {
      const { loss, right, scores } = await step(borrowed, probe, optimizer, metric)
      remember(history, epoch, right === undefined ? { loss } : { loss, accuracy: right })
      const learned = right === undefined ? loss <= history.history.loss[0]! / 100 : right === 1
      if (learned || epoch === epochs || !Number.isFinite(loss)) {
        const perExample = scores.length / probe.rows.length
        return { learned: learned && Number.isFinite(loss), history, scores, perExample, learningRate }
      }
    }
  } finally {
    optimizer.dispose()
  }
}

/** Whether labels say which class, so that a share can be right. */
function classifies({ compiled: { lossName }, samples }: Borrowed, { labels }: Probe): boolean {
  if (lossName === undefined) {
    return !isFloat(labels.dtype) && labels.shape.length === samples.expected.predictions.length - 1
  }
  return lossName === 'softmaxCrossEntropy' || lossName === 'svm' || lossName === 'binaryCrossEntropy'
}

/** One step; what it says was so before the step. */
async function step(
  { trainable }: Borrowed,
  probe: Probe,
  optimizer: Optimizer,
  metric: Metric | undefined,
): Promise<{ loss: number; right: number | undefined; scores: ArrayLike<number> }> {
  const reads = scope(() => {
    const predictions = probe.predict()
    const loss = probe.loss(predictions)
    optimizer.step(backward(loss))
    trainable.applyConstraints()
    const measured = metric && measureBatch(metric, predictions, probe.labels)
    const right = measured?.sums.data().then((sums) => metric!.value([...sums], measured.count))
    return { all: Promise.all([loss.item(), right, predictions.data()]) }
  })
  const [loss, right, scores] = await reads.all
  return { loss, right, scores }
}
