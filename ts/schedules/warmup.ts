// A rate that rises before it follows another schedule.

import { rangeError, show, typeError } from '../errors.js'
import { checkCount, checkNumber, checkOptions } from '../initializers/options.js'
import { type BuiltInSchedule, configOfRate, isSchedule, type Schedule, scheduleOf } from './schedule.js'

export interface WarmupOptions {
  /** What comes after: a number above 0, or a schedule, which begins with its step 0 when the warm-up is over. */
  learningRate: number | Schedule
  /** Steps of the optimizer in which the rate rises. */
  warmupSteps: number
  /** The rate of the first step, 0 or more. Default 0. */
  initialLearningRate?: number
}

/**
 * A learning rate that rises in a straight line to the first rate of what follows. With r(step) the rate of
 * `learningRate`:
 * rate(step) = initialLearningRate + (r(0) − initialLearningRate) · step / warmupSteps while step < warmupSteps, then
 * r(step − warmupSteps).
 *
 * A rise from 0 makes no move in step 0.
 *
 * Throws a `RangeError` or `TypeError` for options that mean nothing.
 *
 * Source: Goyal et al. 2017.
 *
 * @example
 * ```ts
 * import { schedules } from 'ferrograd'
 * const after = schedules.stepDecay({ initialLearningRate: 0.5, decaySteps: 100 })
 * const schedule = schedules.warmup({ learningRate: after, warmupSteps: 10 })
 * console.log(schedule.at(0), schedule.at(5), schedule.at(10), schedule.at(110)) // 0 0.25 0.5 0.25
 * ```
 */
export function warmup(options: WarmupOptions): BuiltInSchedule {
  const op = 'warmup'
  checkOptions(op, options, ['learningRate', 'warmupSteps', 'initialLearningRate'])
  const { learningRate } = options
  const after = checkAfter(op, learningRate)
  const warmupSteps = checkCount(op, 'warmupSteps', options.warmupSteps)
  const start = checkNumber(op, 'initialLearningRate', options.initialLearningRate ?? 0, 0)
  const rest = scheduleOf(op, {}, (step) => {
    if (step >= warmupSteps) return after(step - warmupSteps)
    return start + ((after(0) - start) * step) / warmupSteps
  })
  return Object.freeze({
    ...rest,
    config: () => ({
      kind: op,
      learningRate: configOfRate(op, learningRate),
      warmupSteps,
      initialLearningRate: start,
    }),
  })
}

function checkAfter(op: string, rate: unknown): (step: number) => number {
  if (isSchedule(rate)) {
    return (step) => {
      const value: unknown = rate.at(step)
      if (typeof value === 'number' && value >= 0 && value < Infinity) return value
      throw rangeError(
        `${op}: the schedule after it gave ${show(value)} at step ${step}; a learning rate is a number from 0`,
      )
    }
  }
  if (typeof rate !== 'number') {
    throw typeError(`${op}: learningRate must be a number above 0 or a schedule. got ${show(rate)}`)
  }
  checkNumber(op, 'learningRate', rate, 0, true)
  return () => rate
}
