// Random search for hyperparameters.

import { checkCount } from '../initializers/options.js'
import { nextSeed } from '../tensor/seed.js'
import { SearchRecord } from './record.js'
import { trialLine } from './report.js'
import { type Part, runTrials } from './run-trials.js'
import { type CheckedSearch, checkSearch, type SearchOptions } from './search-options.js'
import { SearchResult } from './search-result.js'
import { edgeWarnings, type ParamsOf, type Space } from './space.js'
import type { Trial } from './trial.js'

export interface RandomOptions<S extends Space = Space> extends SearchOptions<S> {
  /** How many points of the space to try. */
  trials: number
  /** Epochs of each trial. Default 5. */
  epochs?: number
}

/**
 * Tries points drawn at random from `space`: builds a model for each, trains it on `data.train` and judges it by
 * `data.validation`. Random points find more than a grid of as many, because each of them tries another value of the
 * parameters that matter (Bergstra and Bengio, Random Search for Hyper-Parameter Optimization, JMLR 2012).
 *
 * A trial depends on the seed of the search and its own number alone: not on how many there are, in which order or on
 * how many threads they run. One whose loss is no number or explodes is cut short and noted as 'diverged'; one that
 * throws, or whose worker thread dies, as 'failed', and the search goes on. It rejects, with the first error, only if
 * every trial failed. The models and their optimizers are freed: `build(best.params)` after `setSeed(best.seed)` makes
 * the winner again.
 *
 * With `record` it survives a crash: called again, it goes on behind the last trial that is noted, tries again those that
 * failed, and ends up with the same result. A larger `trials` then adds trials.
 *
 * @example
 * ```ts
 * import { datasets, layers, optimizers, search, sequential } from 'ferrograd'
 * const { train, test: validation } = datasets.spiral({ points: 50, classes: 3, seed: 1 })
 * const result = await search.random({
 *   space: { learningRate: search.logUniform(1e-3, 1), units: search.choice([16, 32]) },
 *   build: ({ learningRate, units }) => {
 *     const model = sequential({
 *       inputShape: [2],
 *       layers: [layers.dense({ units, activation: 'relu' }), layers.dense({ units: 3 })],
 *     })
 *     model.compile({ optimizer: optimizers.adam({ learningRate }), loss: 'softmaxCrossEntropy', metrics: ['accuracy'] })
 *     return model
 *   },
 *   data: { train, validation },
 *   trials: 4,
 *   epochs: 2,
 *   seed: 1,
 *   verbose: 0,
 * })
 * console.log(result.trials.length, result.best?.status) // 4 done
 * ```
 */
export async function random<const S extends Space>(options: RandomOptions<S>): Promise<SearchResult<ParamsOf<S>>> {
  const op = 'search.random'
  const search = checkSearch(op, options, ['trials', 'epochs'])
  const { trials, epochs = 5 } = options
  checkCount(op, 'trials', trials)
  checkCount(op, 'epochs', epochs)
  return withRecord(search, (record, seed) =>
    runPart<ParamsOf<S>>(search, { name: 'random', space: search.space, seed, trials, epochs }, record),
  )
}

/** @internal Runs `fn` with the record open, if there is one, and with the seed of the search. */
export async function withRecord<T>(
  search: CheckedSearch,
  fn: (record: SearchRecord | undefined, seed: number) => Promise<T>,
): Promise<T> {
  const record = search.record === undefined ? undefined : await SearchRecord.open(search.op, search.record)
  try {
    const noted = record?.noted('seed')
    return await fn(record, search.seed ?? (typeof noted === 'number' ? noted : nextSeed()))
  } finally {
    await record?.close()
  }
}

/**
 * @internal Runs one part of a search, with a line for each trial and for each warning. Rejects with the first error
 * when every trial failed, unless another part has found something already.
 */
export async function runPart<P>(
  search: CheckedSearch,
  part: Part,
  record: SearchRecord | undefined,
): Promise<SearchResult<P>> {
  const { objective, print, signal } = search
  const { trials, mode } = await runTrials(search, part, record, (trial) =>
    print(trialLine(objective.name, trial, part.trials)),
  )
  const [first] = trials
  if (first !== undefined && part.name !== 'fine' && !signal?.aborted) {
    if (trials.every(({ status }) => status === 'failed')) throw first.error
  }
  const result = new SearchResult({ objective: objective.name, mode }, trials as Trial<P>[])
  result.warnings = warningsOf(search, part, result as SearchResult)
  for (const warning of result.warnings) print(warning)
  return result
}

function warningsOf({ op }: CheckedSearch, { space }: Part, { best, trials }: SearchResult): string[] {
  if (best !== undefined) return edgeWarnings(space, best.params).map((warning) => `${op}: ${warning}`)
  const cut = trials.find(({ status }) => status === 'diverged') ?? trials[0]
  if (cut === undefined) return []
  const way = cut.status === 'diverged' ? '. try lower learning rates' : ''
  return [`${op}: no trial was done. trial ${cut.index + 1} ${cut.status}: ${cut.reason}${way}`]
}
