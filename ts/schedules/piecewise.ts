// A rate for each stretch of the training.

import { rangeError, show, typeError } from '../errors.js'
import { checkCount, checkNumber, checkOptions } from '../initializers/options.js'
import { type BuiltInSchedule, scheduleOf } from './schedule.js'

export interface PiecewiseOptions {
  /** The steps of the optimizer at which the next rate begins, rising. */
  boundaries: readonly number[]
  /** The rates, 0 or more: one more than there are boundaries. */
  learningRates: readonly number[]
}

/**
 * A learning rate that is constant between boundaries: rate(step) = learningRates[i], with i the number of boundaries that
 * are ≤ step. With boundaries [100] exactly 100 steps, 0 to 99, have the first rate. (Keras' `PiecewiseConstantDecay` changes
 * one step later.)
 *
 * Throws a `RangeError` or `TypeError` for options that mean nothing.
 *
 * @example
 * ```ts
 * import { schedules } from 'ferrograd'
 * const schedule = schedules.piecewise({ boundaries: [100, 150], learningRates: [0.1, 0.01, 0.001] })
 * console.log(schedule.at(99), schedule.at(100), schedule.at(1000)) // 0.1 0.01 0.001
 * ```
 */
export function piecewise(options: PiecewiseOptions): BuiltInSchedule {
  const op = 'piecewise'
  checkOptions(op, options, ['boundaries', 'learningRates'])
  const boundaries = checkList(op, 'boundaries', options.boundaries)
  const learningRates = checkList(op, 'learningRates', options.learningRates)
  boundaries.forEach((boundary, i) => {
    checkCount(op, `boundaries[${i}]`, boundary)
    if (i > 0 && boundary <= boundaries[i - 1]!) {
      throw rangeError(`${op}: boundaries must rise. got ${show(boundaries)}`)
    }
  })
  learningRates.forEach((rate, i) => {
    checkNumber(op, `learningRates[${i}]`, rate, 0)
  })
  if (learningRates.length !== boundaries.length + 1) {
    throw rangeError(
      `${op}: ${boundaries.length} boundaries separate ${boundaries.length + 1} rates, but learningRates has ${learningRates.length}. boundaries ${show(boundaries)}, learningRates ${show(learningRates)}`,
    )
  }
  return scheduleOf(op, { boundaries, learningRates }, (step) => {
    const next = boundaries.findIndex((boundary) => step < boundary)
    return learningRates[next === -1 ? boundaries.length : next]!
  })
}

function checkList(op: string, name: string, value: unknown): readonly number[] {
  if (!Array.isArray(value)) throw typeError(`${op}: ${name} must be an array of numbers. got ${show(value)}`)
  return Object.freeze([...value]) as readonly number[]
}
