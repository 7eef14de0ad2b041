// Schedules out of files.

import { FormatError } from '../errors.js'
import { cosineDecay } from './cosine-decay.js'
import { exponentialDecay } from './exponential-decay.js'
import { oneOverT } from './one-over-t.js'
import { piecewise } from './piecewise.js'
import { checkConfig, rebuilt } from './rebuild.js'
import type { BuiltInSchedule } from './schedule.js'
import { stepDecay } from './step-decay.js'
import { warmup } from './warmup.js'

const factories: Readonly<Record<string, (options: never) => BuiltInSchedule>> = {
  stepDecay,
  exponentialDecay,
  oneOverT,
  cosineDecay,
  warmup,
  piecewise,
}

/** Warm-ups within warm-ups that a file may hold. */
const DEEPEST = 16

/** The schedule that `config()` described. Throws a {@link FormatError} for anything else. */
export function scheduleFrom(op: string, config: unknown): BuiltInSchedule {
  return build(op, config, 0)
}

function build(op: string, config: unknown, depth: number): BuiltInSchedule {
  if (depth > DEEPEST) throw new FormatError(`${op}: the schedule holds more than ${DEEPEST} others, one in another`)
  const { kind, ...options } = checkConfig(op, 'schedule', config, factories)
  if (kind === 'warmup' && typeof options.learningRate === 'object') {
    options.learningRate = build(op, options.learningRate, depth + 1)
  }
  return rebuilt(op, 'schedule', () => factories[kind]!(options as never))
}
