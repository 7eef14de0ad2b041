// Optimizers out of files.

import { checkConfig, rebuilt } from '../schedules/rebuild.js'
import { scheduleFrom } from '../schedules/schedule-from.js'
import { byName, type OptimizerName } from './by-name.js'
import type { Optimizer } from './optimizer.js'

/** A fresh optimizer as `config()` described it. Throws a {@link FormatError} for anything else. */
export function optimizerFrom(op: string, config: unknown): Optimizer {
  const { kind, ...options } = checkConfig(op, 'optimizer', config, byName)
  if (typeof options.learningRate === 'object') options.learningRate = scheduleFrom(op, options.learningRate)
  return rebuilt(op, 'optimizer', () => byName[kind as OptimizerName](options as never))
}

/** An optimizer of the same kind with the same options that remembers nothing. */
export function freshOptimizer(optimizer: Optimizer): Optimizer {
  return byName[optimizer.kind as OptimizerName](optimizer.options() as never)
}
