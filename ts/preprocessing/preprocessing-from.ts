// Preprocessing from a file.

import { FormatError, show } from '../errors.js'
import { oneOf } from '../initializers/options.js'
import { Tensor } from '../tensor/tensor.js'
import { Pca } from './pca.js'
import { Pipeline } from './pipeline.js'
import type { Preprocessing, Statistics } from './preprocessing.js'
import { Standardize } from './standardize.js'
import { Whiten } from './whiten.js'
import { Zca } from './zca.js'
import { ZeroCenter } from './zero-center.js'

const byKind: Readonly<Record<string, new (config: object) => Preprocessing>> = {
  zeroCenter: ZeroCenter,
  standardize: Standardize,
  pca: Pca,
  whiten: Whiten,
  zca: Zca,
}
const kinds = [...Object.keys(byKind), 'pipeline']

/**
 * Fitted preprocessing from what `kind`, `config()` and `statistics()` of another one said. Everything is
 * checked: rejects with a {@link FormatError} where it makes no sense. The given tensors stay the caller's.
 */
export async function preprocessingFrom(kind: unknown, config: unknown, statistics: unknown): Promise<Preprocessing> {
  const made = make(kind, config, 0)
  const tensors = object(statistics, 'the statistics')
  for (const [name, value] of Object.entries(tensors)) {
    if (!(value instanceof Tensor)) throw wrong(`the statistic ${name} is ${show(value)}`)
  }
  await made.$restore(tensors as Statistics)
  return made
}

function make(kind: unknown, config: unknown, depth: number): Preprocessing {
  if (depth > 32) throw wrong('pipelines more than 32 deep inside each other')
  const options = object(config, 'the options')
  if (typeof kind !== 'string' || !kinds.includes(kind)) {
    throw wrong(`its kind is ${show(kind)}. kinds are ${oneOf(kinds)}`)
  }
  if (kind === 'pipeline') {
    const { steps } = options
    if (!Array.isArray(steps)) throw wrong(`the steps of a pipeline are ${show(steps)}`)
    return checked(() => {
      return new Pipeline(
        steps.map((step: unknown) => {
          const { kind, config } = object(step, 'a step of a pipeline')
          return make(kind, config, depth + 1)
        }),
      )
    })
  }
  return checked(() => new byKind[kind]!(options))
}

/** Options that the user may not give are no options of a file either. */
function checked(build: () => Preprocessing): Preprocessing {
  try {
    return build()
  } catch (error) {
    if (error instanceof FormatError || !(error instanceof Error && 'code' in error)) throw error
    throw new FormatError(`the preprocessing in the file cannot be: ${error.message}`, { cause: error })
  }
}

function object(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(`${what} are ${show(value)}`)
  return value as Record<string, unknown>
}

function wrong(what: string): FormatError {
  return new FormatError(`the preprocessing in the file cannot be: ${what}`)
}
