// Training a model.

import { GradientError, rangeError, typeError } from '../errors.js'
import { type BatchIterable, isBatches, iterableSource } from './batch-iterable.js'
import { occupy, release } from './busy.js'
import { type Compiled, checkCompiled } from './compile.js'
import { type CheckedFitOptions, checkFitOptions, type FitOptions } from './fit-options.js'
import type { Inputs } from './inputs.js'
import type { History } from './logs.js'
import { Loop } from './loop.js'
import { checkBatches, trainingToGoOn } from './progress.js'
import { Samples } from './samples.js'
import type { Source } from './source.js'
import type { Trainable } from './trainable.js'
import type { Values } from './values.js'
import { type ClassTable, takeClassWeights } from './weights.js'

/**
 * Trains `model` on inputs and labels, or on batches, and resolves with the figures of every epoch. What the
 * method of the same name of a model does; its options say the rest.
 */
export async function fit(
  model: Trainable,
  compiled: Compiled | undefined,
  x: Inputs | BatchIterable,
  y?: Values | FitOptions,
  options?: FitOptions,
): Promise<History> {
  checkCompiled('fit', model, compiled)
  const batches = isBatches(x)
  if (batches && options !== undefined) {
    throw typeError('fit: labels are in the batches: fit(batches, options) has no second argument y')
  }
  const given = (batches ? (y as FitOptions | undefined) : options) ?? {}
  const before = trainingToGoOn(model, given.initialEpoch)
  const checked = checkFitOptions(given, batches, before?.orderSeed)
  occupy('fit', model)
  const taken: Samples[] = []
  let classWeights: ClassTable | undefined
  try {
    const take: Take = (op, ...values) => {
      const samples = Samples.take(op, model, compiled, ...values)
      taken.push(samples)
      return samples
    }
    const data = batches
      ? { train: iterableSource('fit', model, compiled, x), validation: undefined }
      : split(take('fit', x as Inputs, y as Values, checked.sampleWeight), checked)
    const validation = data.validation ?? validationSource(model, compiled, checked, take)
    checkTrainable('fit', model)
    if (checked.classWeight !== undefined && !batches) {
      classWeights = takeClassWeights(taken[0]!.expected, checked.classWeight)
    }
    if (before !== undefined) checkBatches(before, data.train.batchSize, checked.stepsPerEpoch ?? data.train.steps)
    for (const samples of taken) await samples.check()
    return await new Loop(model, compiled, checked, data.train, validation, classWeights, before).run()
  } finally {
    for (const samples of taken) samples.dispose()
    classWeights?.table.dispose()
    release(model)
  }
}

/** Takes samples over and notes that they are to be given back. */
type Take = (op: string, x: Inputs, y: Values, sampleWeight?: Values) => Samples

function split(samples: Samples, options: CheckedFitOptions): { train: Source; validation: Source | undefined } {
  const { batchSize, validationSplit, orderSeed } = options
  const { count } = samples
  // Without the margin, 10 · (1 − 0.9) would be no whole sample.
  const trained = validationSplit === undefined ? count : Math.floor(count * (1 - validationSplit) + 1e-9)
  if (trained === 0 || (validationSplit !== undefined && trained === count)) {
    throw rangeError(
      `fit: validationSplit ${validationSplit} of ${count} samples leaves none to ${trained === 0 ? 'train on' : 'validate with'}`,
    )
  }
  return {
    train: samples.batches(0, trained, batchSize, orderSeed),
    validation: trained === count ? undefined : samples.batches(trained, count, batchSize, undefined),
  }
}

function validationSource(
  model: Trainable,
  compiled: Compiled,
  { validationData, batchSize }: CheckedFitOptions,
  take: Take,
): Source | undefined {
  if (validationData === undefined) return undefined
  if (isBatches(validationData)) return iterableSource('fit: validationData', model, compiled, validationData)
  const samples = take('fit: validationData', ...(validationData as unknown as [Inputs, Values, Values?]))
  return samples.batches(0, samples.count, batchSize, undefined)
}

/** @internal Throws when a model has weights and none of them learns. */
export function checkTrainable(op: string, model: Trainable): void {
  if (model.weights.length > 0 && model.trainableWeights.length === 0) {
    throw new GradientError(`${op}: model "${model.name}" has no trainable weights: all of its layers are frozen`)
  }
}
