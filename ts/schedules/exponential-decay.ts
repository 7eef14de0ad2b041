// A rate that falls by the same share in every step.

import { checkCount, checkNumber, checkOptions } from '../initializers/options.js'
import { type BuiltInSchedule, checkInitialRate, scheduleOf } from './schedule.js'

export interface ExponentialDecayOptions {
  /** The rate of the first step, above 0. */
  initialLearningRate: number
  /** Steps of the optimizer in which the rate falls to its `decayRate`-fold. */
  decaySteps: number
  /** What is left of the rate after `decaySteps`, above 0. */
  decayRate: number
}

/**
 * A learning rate that falls exponentially: rate(step) = initialLearningRate · decayRate^(step / decaySteps), which is
 * α₀ · e^(−k · step) with k = −ln(decayRate) / decaySteps.
 *
 * Throws a `RangeError` or `TypeError` for options that mean nothing.
 *
 * @example
 * ```ts
 * import { schedules } from 'ferrograd'
 * const schedule = schedules.exponentialDecay({ initialLearningRate: 0.1, decaySteps: 100, decayRate: 0.25 })
 * console.log(schedule.at(0), schedule.at(50), schedule.at(100)) // 0.1 0.05 0.025
 * ```
 */
export function exponentialDecay(options: ExponentialDecayOptions): BuiltInSchedule {
  const op = 'exponentialDecay'
  checkOptions(op, options, ['initialLearningRate', 'decaySteps', 'decayRate'])
  const initialLearningRate = checkInitialRate(op, options.initialLearningRate)
  const decaySteps = checkCount(op, 'decaySteps', options.decaySteps)
  const decayRate = checkNumber(op, 'decayRate', options.decayRate, 0, true)
  return scheduleOf(
    op,
    { initialLearningRate, decaySteps, decayRate },
    (step) => initialLearningRate * decayRate ** (step / decaySteps),
  )
}
