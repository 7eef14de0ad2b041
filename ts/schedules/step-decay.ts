// A rate that falls in steps.

import { checkCount, checkNumber, checkOptions } from '../initializers/options.js'
import { type BuiltInSchedule, checkInitialRate, scheduleOf } from './schedule.js'

export interface StepDecayOptions {
  /** The rate of the first steps, above 0. */
  initialLearningRate: number
  /** Steps of the optimizer after which the rate falls, again and again: epochs times batches in an epoch. */
  decaySteps: number
  /** What the rate is multiplied with, above 0. Default 0.5. */
  decayRate?: number
}

/**
 * A learning rate that is multiplied with `decayRate` every `decaySteps` steps:
 * rate(step) = initialLearningRate · decayRate^⌊step / decaySteps⌋.
 *
 * Typical: half the rate every 5 epochs, or a tenth every 20. Steps are those of the optimizer, one for each batch.
 *
 * Throws a `RangeError` or `TypeError` for options that mean nothing.
 *
 * @example
 * ```ts
 * import { schedules } from 'ferrograd'
 * const schedule = schedules.stepDecay({ initialLearningRate: 0.1, decaySteps: 100, decayRate: 0.5 })
 * console.log(schedule.at(0), schedule.at(99), schedule.at(100), schedule.at(250)) // 0.1 0.1 0.05 0.025
 * ```
 */
export function stepDecay(options: StepDecayOptions): BuiltInSchedule {
  const op = 'stepDecay'
  checkOptions(op, options, ['initialLearningRate', 'decaySteps', 'decayRate'])
  const initialLearningRate = checkInitialRate(op, options.initialLearningRate)
  const decaySteps = checkCount(op, 'decaySteps', options.decaySteps)
  const decayRate = checkNumber(op, 'decayRate', options.decayRate ?? 0.5, 0, true)
  return scheduleOf(
    op,
    { initialLearningRate, decaySteps, decayRate },
    (step) => initialLearningRate * decayRate ** Math.floor(step / decaySteps),
  )
}
