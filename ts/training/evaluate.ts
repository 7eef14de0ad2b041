// Judging a model.

import { typeError } from '../errors.js'
import { checkCount, checkOptions } from '../initializers/options.js'
import { type BatchIterable, isBatches, iterableSource } from './batch-iterable.js'
import { type Compiled, checkCompiled } from './compile.js'
import { InFlight } from './in-flight.js'
import type { Inputs } from './inputs.js'
import { RunningScores, type Scores, type StepResult } from './logs.js'
import { Samples } from './samples.js'
import { freeBatch, type Source } from './source.js'
import { testStep } from './step.js'
import type { Trainable } from './trainable.js'
import type { Values } from './values.js'

export interface EvaluateOptions {
  /** Samples in a batch. Default 32. The result does not depend on it. */
  batchSize?: number
  /** A factor for the loss of each sample, `[samples]`. */
  sampleWeight?: Values
}

/**
 * The loss, penalties included, and the metrics over all samples: exact whatever the batches. What the method
 * of the same name of a model does.
 */
export async function evaluate(
  model: Trainable,
  compiled: Compiled | undefined,
  x: Inputs | BatchIterable,
  y?: Values | EvaluateOptions,
  options?: EvaluateOptions,
): Promise<Scores> {
  checkCompiled('evaluate', model, compiled)
  const batches = isBatches(x)
  if (batches && options !== undefined) {
    throw typeError('evaluate: labels are in the batches: evaluate(batches) has no argument y')
  }
  const given = (batches ? (y as EvaluateOptions | undefined) : options) ?? {}
  checkOptions('evaluate', given, batches ? [] : ['batchSize', 'sampleWeight'])
  const { batchSize = 32, sampleWeight } = given
  checkCount('evaluate', 'batchSize', batchSize)
  if (batches) return (await judge('evaluate', model, compiled, iterableSource('evaluate', model, compiled, x)))!
  const samples = Samples.take('evaluate', model, compiled, x as Inputs, y as Values, sampleWeight)
  try {
    await samples.check()
    return (await judge('evaluate', model, compiled, samples.batches(0, samples.count, batchSize, undefined)))!
  } finally {
    samples.dispose()
  }
}

/** @internal Judges one pass over the data. Undefined when `aborted` turns true on the way. */
export async function judge(
  op: string,
  model: Trainable,
  compiled: Compiled,
  source: Source,
  aborted: () => boolean = () => false,
): Promise<Scores | undefined> {
  const running = new RunningScores(compiled.metrics)
  const flight = new InFlight<StepResult>(2)
  const pass = source.open(0, 0)
  let empty = true
  try {
    for (let batch = await pass.next(); batch !== undefined; batch = await pass.next()) {
      if (aborted()) {
        freeBatch(batch)
        return undefined
      }
      empty = false
      const { size } = batch
      await flight.add(testStep(op, model, compiled, batch), (result) => running.add(result, size))
    }
    if (empty) throw typeError(`${op}: there are no batches`)
    await flight.drain()
    return aborted() ? undefined : running.scores()
  } finally {
    await flight.abandon()
    await pass.close()
  }
}
