// What a search found.

import { better, type Mode } from './objective.js'
import { trialTable } from './report.js'
import type { Trial } from './trial.js'

/** What a search found. */
export class SearchResult<P = { readonly [name: string]: unknown }> {
  /** The trial with the best value; undefined when none was done. */
  readonly best: Trial<P> | undefined
  /** What to mind before believing the result: best values that lie at the edge of their range. */
  warnings: readonly string[] = []
  /** What `value` of a trial is. */
  readonly objective: string
  /** Whether less or more of it is better. */
  readonly mode: Mode

  /** @internal */
  constructor(
    { objective, mode }: { readonly objective: string; readonly mode: Mode },
    /** All finished trials, in the order of their numbers. */
    readonly trials: readonly Trial<P>[],
  ) {
    this.objective = objective
    this.mode = mode
    this.best = this.ranked()[0]
  }

  /** The trials that were done, the best first; of equal ones the first. */
  ranked(): Trial<P>[] {
    const done = this.trials.filter(({ status }) => status === 'done')
    return done.sort((a, b) => better(this.mode, a.value, b.value))
  }

  /** The trials as lines for people to read, the best first, then those that were cut short or failed. */
  table(): string {
    const others = this.trials.filter(({ status }) => status !== 'done')
    return trialTable(this.objective, [...this.ranked(), ...others] as Trial[])
  }
}
