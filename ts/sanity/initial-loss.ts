// The loss of a model that has learned nothing.

import { noGrad } from '../autograd/record.js'
import { checkCount, checkNumber, checkOptions } from '../initializers/options.js'
import type { Model } from '../models/model.js'
import { add, square, sum } from '../ops/index.js'
import { zeros } from '../tensor/create.js'
import { isFloat } from '../tensor/dtype.js'
import { scope } from '../tensor/scope.js'
import { checkSeed } from '../tensor/seed.js'
import type { Tensor } from '../tensor/tensor.js'
import type { Inputs } from '../training/inputs.js'
import { isLabelError } from '../training/labels.js'
import type { Values } from '../training/values.js'
import { type Chance, chanceOf } from './chance.js'
import { InitialLossReport } from './initial-loss-report.js'
import { type Borrowed, borrow, Probe } from './probe.js'
import { reach, type Spread, spreadOf, whereNotFinite } from './spread.js'

export interface InitialLossOptions {
  /** How many examples are looked at, drawn at random. Default 256. */
  examples?: number
  /** The loss may be above `expected` by this share of it, and below by half of it. Default 0.5. */
  tolerance?: number
  /** The factor of the L2 penalty that must raise the loss. Default 1e3. */
  l2?: number
  /** Seed of the drawing. Default 0. */
  seed?: number
}

/** Inputs that go beyond this were not brought to a common scale. */
const UNSCALED = 20

type Settings = Required<InitialLossOptions>

/** What was measured. */
interface Found {
  readonly chance: Chance
  readonly loss: number
  /** The sum of the squares of all kernels; undefined without any. */
  readonly squares: number | undefined
  /** Of the input with the largest numbers. */
  readonly inputs: Spread | undefined
  readonly scores: Spread
  /** Whether the scores of every example are shares of 1. */
  readonly shares: boolean
  readonly oneLabel: number | undefined
  readonly steps: number
  /** What is not finite, if anything. */
  readonly broken: string | undefined
}

/**
 * Whether a new model's loss is that of guessing, as it is where small random weights make scores near 0:
 * −log(1/classes) for softmaxCrossEntropy, (classes − 1) · margin for svm, log 2 for binaryCrossEntropy. A loss of your own on
 * class indices is expected to be what it gives for scores of 0; for regression only the rest is judged. With an L2 penalty
 * of 1e3 on all kernels the loss must be higher.
 *
 * The model must be compiled. It is run as in training (batch normalisation uses the batch), but layers of dropout and of
 * random changes to images do nothing, and the penalties of its regularizers are left out. Weights, running statistics and
 * optimizer stay as they are.
 *
 * The verdict says what is wrong: numbers that are not finite and where they are, labels out of range, weights too large,
 * inputs not normalised, a model that was trained already, kernels that are missing or all 0, a softmax before a loss
 * that has one. Throws a `ShapeError`, `RangeError` or `TypeError` for arguments that do not fit.
 *
 * Source: the notes of Stanford's CS231n, "Neural Networks Part 3".
 *
 * @example
 * ```ts
 * import { checkInitialLoss, datasets, layers, sequential } from 'ferrograd'
 * const { train } = datasets.digits()
 * const small = { kernelInitializer: 'randomNormal' } as const
 * const model = sequential({ inputShape: [8, 8, 1], layers: [layers.flatten(), layers.dense({ units: 10, ...small })] })
 * model.compile({ optimizer: 'sgd', loss: 'softmaxCrossEntropy' })
 * const report = await checkInitialLoss(model, train.images, train.labels)
 * console.log(report.expected!.toFixed(3), report.passed) // 2.303 true
 * ```
 */
export async function checkInitialLoss(
  model: Model,
  x: Inputs,
  y: Values,
  options: InitialLossOptions = {},
): Promise<InitialLossReport> {
  const op = 'checkInitialLoss'
  const settings = checkSettings(op, options)
  try {
    return await borrow(op, { model, x, y, seed: settings.seed, restore: true }, async (borrowed) => {
      const probe = new Probe(borrowed, settings.examples, settings.seed)
      try {
        return report(await measure(borrowed, probe), probe.rows.length, settings)
      } finally {
        probe.dispose()
      }
    })
  } catch (error) {
    if (!isLabelError(error)) throw error
    const verdict = error.message.replace(`${op}: `, '')
    return new InitialLossReport(
      undefined,
      'the labels are wrong',
      Number.NaN,
      Number.NaN,
      settings.l2,
      0,
      false,
      verdict,
    )
  }
}

function checkSettings(op: string, options: InitialLossOptions): Settings {
  checkOptions(op, options, ['examples', 'tolerance', 'l2', 'seed'])
  return {
    examples: checkCount(op, 'examples', options.examples ?? 256),
    tolerance: checkNumber(op, 'tolerance', options.tolerance ?? 0.5, 0, true),
    l2: checkNumber(op, 'l2', options.l2 ?? 1e3, 0, true),
    seed: checkSeed(op, options.seed ?? 0),
  }
}

async function measure(borrowed: Borrowed, probe: Probe): Promise<Found> {
  const { trainable, compiled } = borrowed
  const kernels = trainable.trainableWeights.filter(({ shape }) => shape.length >= 2)
  const { shape, reads } = scope(() =>
    noGrad(() => {
      const predictions = probe.predict()
      const ignorant = probe.loss(zeros(predictions.shape, { dtype: predictions.dtype }))
      const squares = kernels
        .map((kernel) => sum(square(kernel)))
        .reduce<Tensor | undefined>((a, b) => (a ? add(a, b) : b), undefined)
      const reads = [probe.loss(predictions).item(), ignorant.item(), squares?.item(), predictions.data()] as const
      return { shape: predictions.shape, reads }
    }),
  )
  const [loss, ignorant, squares, scores] = await Promise.all(reads)
  const labels = await probe.labels.data()
  // Whole numbers stand for words and the like, and have no scale.
  const scaled = probe.inputs.filter(({ dtype }) => isFloat(dtype))
  const inputs = await Promise.all(scaled.map(async (input) => spreadOf(await input.data())))
  const classes = shape.at(-1)!
  const indices = probe.labels.shape.length < shape.length
  return {
    chance: chanceOf(compiled.lossName, classes, indices, ignorant),
    loss,
    squares,
    inputs: inputs.reduce<Spread | undefined>((a, b) => (a === undefined || reach(b) > reach(a) ? b : a), undefined),
    scores: spreadOf(scores),
    shares: classes > 1 && compiled.lossName === 'softmaxCrossEntropy' && sumToOne(scores, classes),
    oneLabel: (indices || classes === 1) && labels.every((label) => label === labels[0]) ? labels[0] : undefined,
    steps: compiled.optimizer.iterations,
    broken: await whereNotFinite(probe, trainable.weights, scores, loss),
  }
}

/** Whether each row of scores could come from a softmax. */
function sumToOne(scores: ArrayLike<number>, classes: number): boolean {
  for (let start = 0; start < scores.length; start += classes) {
    let total = 0
    for (let i = start; i < start + classes; i++) {
      if (!(scores[i]! >= 0)) return false
      total += scores[i]!
    }
    if (Math.abs(total - 1) > 1e-4) return false
  }
  return true
}

function report(found: Found, examples: number, settings: Settings): InitialLossReport {
  const { chance, loss, squares } = found
  const regularized = squares === undefined ? loss : loss + settings.l2 * squares
  const problem = problemOf(found, settings, regularized)
  const { expected, formula } = chance
  const fine =
    expected === undefined
      ? `the loss is finite and a penalty raises it. whether it is right cannot be judged: ${formula}`
      : 'the loss is about that of guessing, and a penalty raises it'
  return new InitialLossReport(
    ...([expected, formula, loss, regularized, settings.l2, examples, problem === undefined, problem ?? fine] as const),
  )
}

function problemOf(found: Found, settings: Settings, regularized: number): string | undefined {
  if (found.broken !== undefined) return found.broken
  if (found.squares === undefined) return 'a penalty changes nothing: the model has no kernels that learn'
  if (found.squares === 0) {
    return "a penalty changes nothing: all kernels are 0, so all units of a layer stay alike. initialize them at random, with 'heNormal' for example"
  }
  if (!(regularized > found.loss)) return 'a penalty does not raise the loss: the kernels are too small to count'
  if (found.shares) {
    return 'the scores of every example are shares of 1: the model ends in a softmax, but softmaxCrossEntropy takes logits and has one of its own. leave out the last activation'
  }
  return tooHighOrLow(found, settings.tolerance)
}

function tooHighOrLow({ chance, loss, inputs, scores, oneLabel, steps }: Found, tolerance: number): string | undefined {
  const { expected } = chance
  if (expected === undefined) return undefined
  const against = `the loss ${loss.toPrecision(4)}`
  if (loss > expected * (1 + tolerance)) {
    const cause =
      inputs !== undefined && reach(inputs) > UNSCALED
        ? `the inputs are not normalised: they go from ${show(inputs.min)} to ${show(inputs.max)}, mean ${show(inputs.mean)}. zero-center and scale them, with preprocessing.standardize for example`
        : `the weights are too large: scores go from ${show(scores.min)} to ${show(scores.max)} and should be near 0. initialize with 'heNormal', or smaller in the last layer`
    return `${against} is above that of guessing, ${expected.toPrecision(4)}: ${cause}`
  }
  if (loss < expected * (1 - tolerance / 2)) {
    const cause =
      oneLabel !== undefined
        ? `all labels looked at are ${oneLabel}, so there is nothing to tell apart`
        : steps > 0
          ? `the model is trained already (its optimizer has done ${steps} steps)`
          : 'the model is trained already, or the inputs hold the labels'
    return `${against} is below that of guessing, ${expected.toPrecision(4)}: ${cause}`
  }
  return undefined
}

function show(value: number): string {
  return String(Number(value.toPrecision(3)))
}
