// A single step.

import { checkOptions } from '../initializers/options.js'
import { checkIdle } from './busy.js'
import { type Compiled, checkCompiled } from './compile.js'
import type { Inputs } from './inputs.js'
import { type Scores, scoresOf } from './logs.js'
import { Samples } from './samples.js'
import { trainStep } from './step.js'
import type { Trainable } from './trainable.js'
import type { Values } from './values.js'
import { type ClassWeight, takeClassWeights } from './weights.js'

export interface TrainOnBatchOptions {
  /** A factor for the loss of each class. */
  classWeight?: ClassWeight
  /** A factor for the loss of each sample, `[samples]`. */
  sampleWeight?: Values
}

/**
 * One step on all of these samples; resolves with its loss, penalties included, and metrics, as they were
 * before the update. What the method of the same name of a model does.
 */
export async function trainOnBatch(
  model: Trainable,
  compiled: Compiled | undefined,
  x: Inputs,
  y: Values,
  options: TrainOnBatchOptions = {},
): Promise<Scores> {
  checkCompiled('trainOnBatch', model, compiled)
  checkOptions('trainOnBatch', options, ['classWeight', 'sampleWeight'])
  checkIdle('trainOnBatch', model)
  const { classWeight, sampleWeight } = options
  const samples = Samples.take('trainOnBatch', model, compiled, x, y, sampleWeight)
  try {
    const classWeights = classWeight === undefined ? undefined : takeClassWeights(samples.expected, classWeight)
    try {
      await samples.check()
      const { count } = samples
      const batch = await samples.batches(0, count, count, undefined).open(0, 0).next()
      return scoresOf(compiled.metrics, await trainStep('trainOnBatch', model, compiled, batch!, classWeights))
    } finally {
      classWeights?.table.dispose()
    }
  } finally {
    samples.dispose()
  }
}
