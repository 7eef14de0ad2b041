// A search in two rounds: far and short, then near and long.

import { seedOfPass } from '../data/order.js'
import { show, typeError } from '../errors.js'
import { checkCount, checkOptions } from '../initializers/options.js'
import { runPart, withRecord } from './random.js'
import type { Part } from './run-trials.js'
import { checkSearch, type SearchOptions } from './search-options.js'
import { SearchResult } from './search-result.js'
import { narrowSpace, type ParamsOf, type Space } from './space.js'

/** How much one round of a search does. */
export interface Round {
  /** How many points of the space to try. */
  trials: number
  /** Epochs of each trial. */
  epochs?: number
}

export interface CoarseToFineOptions<S extends Space = Space> extends SearchOptions<S> {
  /** The round over the whole space. `epochs` is 5 by default. */
  coarse: Round
  /** The round over what the coarse one found promising. `epochs` is 20 by default. */
  fine: Round
}

/** What {@link coarseToFine} found. `trials` are those of both rounds, the coarse ones first. */
export class CoarseToFineResult<P = { readonly [name: string]: unknown }> extends SearchResult<P> {
  /** @internal */
  constructor(
    /** The first round alone. */
    readonly coarse: SearchResult<P>,
    /** The second round alone; undefined when the search ended before it. */
    readonly fine: SearchResult<P> | undefined,
    /** The ranges of the second round. */
    readonly fineSpace: Space | undefined,
  ) {
    super(coarse, [...coarse.trials, ...(fine?.trials ?? [])])
    // What there is to say of the round that has the winner.
    this.warnings = (fine?.best !== undefined && fine.best === this.best ? fine : coarse).warnings
  }

  override table(): string {
    const { coarse, fine } = this
    return fine === undefined ? coarse.table() : `coarse\n${coarse.table()}\n\nfine\n${fine.table()}`
  }
}

/**
 * A {@link random} search in two rounds, as Stanford's course CS231n advises: a coarse one over all of `space` with few
 * epochs, then a fine one with more epochs over the ranges that the coarse one leaves.
 *
 * These follow from the best quarter of the coarse trials that were done (from two at least): from the least to the
 * largest value of each parameter in it, wider by a tenth of the whole range on either side, on the scale of the range,
 * but not beyond it; of a choice, the values that occur in it. When the best value lies at the edge of a log-uniform
 * range, in its outer twentieth, the fine range does go beyond that edge.
 *
 * When the best value lies at the edge of its range in the end, `warnings` says so, and `print` as well: better values
 * may lie outside.
 *
 * @example
 * ```ts
 * import { datasets, layers, optimizers, search, sequential } from 'ferrograd'
 * const { train, test: validation } = datasets.spiral({ points: 50, classes: 3, seed: 1 })
 * const result = await search.coarseToFine({
 *   space: { learningRate: search.logUniform(1e-4, 1) },
 *   build: ({ learningRate }) => {
 *     const model = sequential({
 *       inputShape: [2],
 *       layers: [layers.dense({ units: 16, activation: 'relu' }), layers.dense({ units: 3 })],
 *     })
 *     model.compile({ optimizer: optimizers.adam({ learningRate }), loss: 'softmaxCrossEntropy', metrics: ['accuracy'] })
 *     return model
 *   },
 *   data: { train, validation },
 *   coarse: { trials: 6, epochs: 2 },
 *   fine: { trials: 3, epochs: 4 },
 *   seed: 1,
 *   verbose: 0,
 * })
 * console.log(result.coarse.trials.length, result.fine?.trials.length) // 6 3
 * ```
 */
export async function coarseToFine<const S extends Space>(
  options: CoarseToFineOptions<S>,
): Promise<CoarseToFineResult<ParamsOf<S>>> {
  type P = ParamsOf<S>
  const op = 'search.coarseToFine'
  const search = checkSearch(op, options, ['coarse', 'fine'])
  const coarseRound = checkRound(op, 'coarse', options.coarse, 5)
  const fineRound = checkRound(op, 'fine', options.fine, 20)
  return withRecord(search, async (record, seed) => {
    const { space, print, signal } = search
    print(`coarse search: ${roundLine(coarseRound)}`)
    const coarse = await runPart<P>(search, { name: 'coarse', space, seed, ...coarseRound }, record)
    const good = coarse.ranked().map(({ params }) => params)
    if (good.length === 0 || signal?.aborted) return new CoarseToFineResult(coarse, undefined, undefined)
    const fineSpace = narrowSpace(space, good)
    const ranges = Object.entries(fineSpace).map(([name, range]) => `${name}: ${range}`)
    print(`fine search: ${roundLine(fineRound)}, ${ranges.join(', ')}`)
    const part: Part = { name: 'fine', space: fineSpace, seed: seedOfPass(seed, FINE), ...fineRound }
    return new CoarseToFineResult(coarse, await runPart<P>(search, part, record), fineSpace)
  })
}

/** The place of the fine round among all that the seed of a search stands for. */
const FINE = 2 ** 20

function checkRound(op: string, name: string, round: unknown, epochs: number): Required<Round> {
  if (typeof round !== 'object' || round === null) {
    throw typeError(`${op}: ${name} must be { trials, epochs }. got ${show(round)}`)
  }
  checkOptions(`${op}: ${name}`, round, ['trials', 'epochs'])
  const checked = { epochs, ...(round as Round) }
  checkCount(op, `${name}.trials`, checked.trials)
  checkCount(op, `${name}.epochs`, checked.epochs)
  return checked
}

function roundLine({ trials, epochs }: Required<Round>): string {
  const many = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`
  return `${many(trials, 'trial')} of ${many(epochs, 'epoch')}`
}
