// What is known of one trial.

import type { History } from '../training/logs.js'

/** One trial: what was tried, and what came of it. */
export interface Trial<P = { readonly [name: string]: unknown }> {
  /** Its number in the search, from 0. */
  readonly index: number
  /** What `build` was given. */
  readonly params: P
  /** What the objective says of it; NaN unless it is done. */
  readonly value: number
  /** `setSeed` with it, then `build(params)` and `fit`, does the trial again. */
  readonly seed: number
  /** The figures of its complete epochs. */
  readonly history: History
  /** 'diverged': cut short because the loss exploded or was no number. 'failed': an error, or the end of its thread. */
  readonly status: 'done' | 'diverged' | 'failed'
  /** Why it did not get done, in words. */
  readonly reason?: string
  /** What was thrown, where it failed. */
  readonly error?: Error
}

/** @internal No epoch was completed. */
export const noHistory = (): History => ({ epoch: [], history: { loss: [] } })
