// A learning rate that changes with the steps.

import { typeError } from '../errors.js'
import { checkNumber } from '../initializers/options.js'

/** A schedule as plain data: its `kind` and its options, as JSON can hold them. */
export type ScheduleConfig = { readonly kind: string } & { readonly [option: string]: unknown }

/**
 * What an optimizer asks before every step. Those of `schedules` can be saved; one of your own needs only `at`, and an
 * optimizer with it cannot be written to a file.
 */
export interface Schedule {
  /** The learning rate of step `step`: the number of steps that the optimizer has done before it, from 0. */
  at(step: number): number
  /** The name in `schedules` that rebuilds it from a file. */
  readonly kind?: string
  /** Kind and options, complete, as plain data. */
  config?(): ScheduleConfig
}

/** What the functions of `schedules` return. */
export interface BuiltInSchedule extends Schedule {
  readonly kind: string
  config(): ScheduleConfig
}

/** @internal A schedule from its options and its formula. */
export function scheduleOf<Options extends object>(
  kind: string,
  options: Options,
  rate: (step: number) => number,
): BuiltInSchedule {
  return Object.freeze({
    kind,
    at: (step: number) => rate(checkNumber(kind, 'step', step, 0)),
    config: () => ({ kind, ...options }),
  })
}

/** @internal Throws unless `value` is a learning rate to start from: finite and above 0. */
export function checkInitialRate(op: string, value: unknown): number {
  return checkNumber(op, 'initialLearningRate', value, 0, true)
}

/** @internal */
export function isSchedule(value: unknown): value is Schedule {
  return typeof value === 'object' && value !== null && 'at' in value && typeof value.at === 'function'
}

/** @internal A learning rate as plain data. Throws for a schedule of the user's own. */
export function configOfRate(op: string, rate: number | Schedule): number | ScheduleConfig {
  if (typeof rate === 'number') return rate
  if (rate.config !== undefined) return rate.config()
  throw typeError(
    `${op}: learningRate is a schedule of your own, which a file cannot hold. use one of schedules.*, or set learningRate to a number first`,
  )
}
