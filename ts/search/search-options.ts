// The options of a search, checked.

import { rangeError, show, typeError } from '../errors.js'
import { checkChoice, checkCount, checkNumber, checkOptions } from '../initializers/options.js'
import { checkSeed } from '../tensor/seed.js'
import type { Build } from './build.js'
import { type CheckedObjective, checkObjective, type Objective, type Score } from './objective.js'
import type { SearchData } from './run-trial.js'
import { checkData } from './shared-data.js'
import { checkSpace, type ParamsOf, type Space } from './space.js'

/** What `random` and `coarseToFine` have in common. */
export interface SearchOptions<S extends Space = Space> {
  /**
   * Returns a new, compiled model for the hyperparameters it is given; or the URL of a module that exports such a
   * function as `build`, which trials on worker threads need.
   */
  build: Build<ParamsOf<S>> | URL
  /** A range for each hyperparameter. */
  space: S
  /** What to train on, and what to judge by. The test data is for the winner alone. */
  data: SearchData
  /**
   * What trials are judged by: the name of a figure of the history, of which the best epoch counts; a function of the
   * history, more being better; or `{ monitor, mode }`. Default 'val_accuracy'.
   */
  objective?: string | Score | Objective
  /** Samples in a batch; a function decides for each trial. Default 32. */
  batchSize?: number | ((params: ParamsOf<S>) => number)
  /** Seed of all that is random in the search; without one that of the record, or else `setSeed` decides. */
  seed?: number
  /** A trial whose loss, averaged over ten batches, is above this many times its first loss has exploded. Default 3. */
  explosion?: number
  /** A file to note every finished trial in, one JSON line each. A search that finds its own record goes on from there. */
  record?: string | URL
  /**
   * Trials at a time, each on a worker thread with its share of `threads()`; 1 is this thread with all of them. More
   * need `build` to be a URL. Default 'auto': one trial at a time for a function; for a URL as many as `threads()`, once
   * it is known that the trials take long enough to make up for starting workers.
   */
  concurrency?: number | 'auto'
  /** Ends the search when it aborts: it resolves with the trials so far. */
  signal?: AbortSignal
  /** 0: say nothing. 1: a line for each trial. Default 1. */
  verbose?: 0 | 1
  /** Where lines for people to read go. Default `console.log`. */
  print?: (line: string) => void
}

const shared = [
  'build',
  'space',
  'data',
  'objective',
  'batchSize',
  'seed',
  'explosion',
  'record',
  'concurrency',
  'signal',
  'verbose',
  'print',
] as const

/** @internal */
export interface CheckedSearch {
  readonly op: string
  readonly build: Build | URL
  readonly space: Space
  readonly data: SearchData
  readonly objective: CheckedObjective
  readonly batchSize: number | ((params: never) => number)
  readonly seed: number | undefined
  readonly explosion: number
  readonly record: string | URL | undefined
  readonly concurrency: number | 'auto'
  readonly signal: AbortSignal | undefined
  readonly print: (line: string) => void
}

/** @internal Throws where an option is wrong, unknown, or would have no effect. `own` are those of `op` alone. */
export function checkSearch(op: string, options: unknown, own: readonly string[]): CheckedSearch {
  checkOptions(op, options, [...shared, ...own])
  const given = options as SearchOptions & { build: unknown }
  const { batchSize = 32, seed, explosion = 3, record, signal, verbose = 1, print = console.log } = given
  const build = checkBuild(op, given.build)
  if (typeof batchSize !== 'function') checkCount(op, 'batchSize', batchSize)
  if (seed !== undefined) checkSeed(op, seed)
  checkNumber(op, 'explosion', explosion, 1, true)
  if (record !== undefined && !(record instanceof URL) && (typeof record !== 'string' || record === '')) {
    throw typeError(`${op}: record must be a path or a file URL. got ${show(record)}`)
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw typeError(`${op}: signal must be an AbortSignal. got ${show(signal)}`)
  }
  if (verbose !== 0 && verbose !== 1) throw rangeError(`${op}: verbose must be 0 or 1. got ${show(verbose)}`)
  if (typeof print !== 'function') throw typeError(`${op}: print must be a function. got ${show(print)}`)
  return {
    op,
    build,
    space: checkSpace(op, given.space),
    data: checkData(op, given.data),
    objective: checkObjective(op, given.objective),
    batchSize,
    seed,
    explosion,
    record,
    concurrency: checkConcurrency(op, given.concurrency ?? 'auto', build),
    signal,
    print: verbose === 0 ? () => {} : print,
  }
}

function checkBuild(op: string, build: unknown): Build | URL {
  if (typeof build === 'function' || build instanceof URL) return build as Build | URL
  throw typeError(
    `${op}: build must be a function that returns a compiled model, or the URL of a module that exports one. got ${show(build)}`,
  )
}

function checkConcurrency(op: string, concurrency: unknown, build: Build | URL): number | 'auto' {
  if (typeof concurrency !== 'number') {
    checkChoice(op, 'concurrency', concurrency, ['auto'])
    return build instanceof URL ? 'auto' : 1
  }
  checkCount(op, 'concurrency', concurrency)
  if (concurrency > 1 && !(build instanceof URL)) {
    throw typeError(
      `${op}: concurrency ${concurrency} needs build to be the URL of a module that exports build: a function cannot be sent to a worker thread. got ${show(build)}. put it into a file: build: new URL('./build.js', import.meta.url)`,
    )
  }
  return concurrency
}
