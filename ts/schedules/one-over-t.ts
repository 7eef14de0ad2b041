// A rate that falls as one over the time.

import { checkCount, checkNumber, checkOptions } from '../initializers/options.js'
import { type BuiltInSchedule, checkInitialRate, scheduleOf } from './schedule.js'

export interface OneOverTOptions {
  /** The rate of the first step, above 0. */
  initialLearningRate: number
  /** Steps of the optimizer that count as one unit of time. */
  decaySteps: number
  /** How fast the rate falls, above 0. Default 1: half the rate is left after `decaySteps`, a third after twice as many. */
  decayRate?: number
}

/**
 * A learning rate that falls as 1/t: rate(step) = initialLearningRate / (1 + decayRate · step / decaySteps), which is
 * α₀ / (1 + k · step) with k = decayRate / decaySteps.
 *
 * Throws a `RangeError` or `TypeError` for options that mean nothing.
 *
 * Source: Robbins and Monro 1951, whose conditions for convergence it meets.
 *
 * @example
 * ```ts
 * import { schedules } from 'ferrograd'
 * const schedule = schedules.oneOverT({ initialLearningRate: 0.1, decaySteps: 100 })
 * console.log(schedule.at(0), schedule.at(100), schedule.at(300)) // 0.1 0.05 0.025
 * ```
 */
export function oneOverT(options: OneOverTOptions): BuiltInSchedule {
  const op = 'oneOverT'
  checkOptions(op, options, ['initialLearningRate', 'decaySteps', 'decayRate'])
  const initialLearningRate = checkInitialRate(op, options.initialLearningRate)
  const decaySteps = checkCount(op, 'decaySteps', options.decaySteps)
  const decayRate = checkNumber(op, 'decayRate', options.decayRate ?? 1, 0, true)
  return scheduleOf(
    op,
    { initialLearningRate, decaySteps, decayRate },
    (step) => initialLearningRate / (1 + (decayRate * step) / decaySteps),
  )
}
