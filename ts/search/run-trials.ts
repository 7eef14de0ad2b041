// The trials of one part of a search, one after the other or side by side.

import { typeError } from '../errors.js'
import { checkCount } from '../initializers/options.js'
import { threads } from '../tensor/runtime.js'
import { Builder, importBuild } from './build.js'
import { type Lane, LaneError, OwnLane, WorkerLane } from './lane.js'
import { type Mode, worth } from './objective.js'
import { asError } from './portable-error.js'
import type { Entry, SearchRecord } from './record.js'
import type { Job, Outcome, Setup } from './run-trial.js'
import type { CheckedSearch } from './search-options.js'
import { describeData, shareData } from './shared-data.js'
import { describeSpace, drawTrial, type Params, type Space } from './space.js'
import { noHistory, type Trial } from './trial.js'

/** @internal One part of a search: a random search of its own, or the coarse or the fine half. */
export interface Part {
  readonly name: 'random' | 'coarse' | 'fine'
  readonly space: Space
  readonly seed: number
  readonly trials: number
  readonly epochs: number
}

/** @internal The finished trials, and which way is up. */
export interface Findings {
  readonly trials: readonly Trial[]
  readonly mode: Mode
}

/**
 * @internal Runs what is not noted in the record yet, and calls `tell` after each trial. When the search is aborted,
 * resolves with what is finished.
 */
export async function runTrials(
  search: CheckedSearch,
  part: Part,
  record: SearchRecord | undefined,
  tell: (trial: Trial) => void,
): Promise<Findings> {
  const entries = await noted(search, part, record)
  if (entries.size > 0) search.print(`${part.name} search: ${entries.size} of ${part.trials} trials are in the record`)
  const missing = Array.from({ length: part.trials }, (_, index) => index).filter((index) => !entries.has(index))
  const finish = async (entry: Entry) => {
    await record?.add(part.name, entry)
    entries.set(entry.trial.index, entry)
    tell(entry.trial)
  }
  if (missing.length > 0 && !search.signal?.aborted) await runAll(search, part, missing, finish)
  const sorted = [...entries.values()].sort((a, b) => a.trial.index - b.trial.index)
  return {
    trials: sorted.map(({ trial }) => trial),
    mode: sorted.find(({ trial }) => trial.status !== 'failed')?.mode ?? 'max',
  }
}

/** The trials of the record that need not run again. Those that failed are tried again. */
async function noted(search: CheckedSearch, part: Part, record: SearchRecord | undefined): Promise<Map<number, Entry>> {
  const entries = new Map<number, Entry>()
  if (record === undefined) return entries
  const { objective, batchSize, explosion, data } = search
  const found = await record.begin(part.name, {
    space: describeSpace(part.space),
    seed: part.seed,
    epochs: part.epochs,
    ...(part.name === 'coarse' && { trials: part.trials }),
    objective: objective.key ?? 'a function',
    mode: objective.mode,
    batchSize: typeof batchSize === 'number' ? batchSize : 'a function',
    explosion,
    data: describeData(data),
  })
  for (const [index, { trial, mode }] of found) {
    if (index >= part.trials || trial.status === 'failed') continue
    const { params, seed } = drawTrial(part.space, part.seed, index)
    entries.set(index, { trial: { ...trial, params, seed }, mode })
  }
  return entries
}

/** Milliseconds of work ahead that make up for starting worker threads and having each compile its JavaScript. */
const WORTH_WORKERS = 10_000

async function runAll(
  search: CheckedSearch,
  part: Part,
  indices: readonly number[],
  finish: (entry: Entry) => Promise<void>,
): Promise<void> {
  const stopping = new AbortController()
  const stop = () => stopping.abort()
  search.signal?.addEventListener('abort', stop)
  const waiting = [...indices]
  /** Runs trials on a lane until none is left, or it is told to stop. */
  const work = async (lane: Lane, enough: (took: number) => boolean = () => false) => {
    while (!stopping.signal.aborted && waiting.length > 0) {
      const began = performance.now()
      const entry = await runOne(search, part, waiting.shift()!, lane, stopping.signal)
      if (entry === undefined) return
      await finish(entry)
      if (entry.trial.status === 'done' && enough(performance.now() - began)) return
    }
  }
  try {
    const { concurrency } = search
    if (concurrency === 'auto') {
      const enough = (took: number) => threads() > 1 && took * waiting.length > WORTH_WORKERS
      await work(await ownLane(search, part), enough)
    }
    const many = Math.min(concurrency === 'auto' ? threads() : concurrency, waiting.length)
    if (many === 0 || stopping.signal.aborted) return
    await sideBySide(many === 1 ? [await ownLane(search, part)] : await workerLanes(search, part, many), work, stop)
  } finally {
    search.signal?.removeEventListener('abort', stop)
  }
}

/** Ends when every lane has, and rejects with the first error, which stops them all. */
async function sideBySide(lanes: Lane[], work: (lane: Lane) => Promise<void>, stop: () => void): Promise<void> {
  let failure: { error: unknown } | undefined
  const watched = lanes.map((lane) =>
    work(lane).catch((error: unknown) => {
      failure ??= { error }
      stop()
    }),
  )
  await Promise.all(watched)
  await Promise.all(lanes.map((lane) => lane.close()))
  if (failure !== undefined) throw failure.error instanceof LaneError ? failure.error.cause : failure.error
}

function setupOf({ op, objective: { key, mode }, explosion }: CheckedSearch, { epochs }: Part): Setup {
  return { op, epochs, explosion, goal: { key, mode } }
}

async function ownLane(search: CheckedSearch, part: Part): Promise<Lane> {
  const { op, build, data } = search
  const builder = new Builder(op, build instanceof URL ? await importBuild(op, build) : build)
  return new OwnLane(setupOf(search, part), builder, data)
}

/** The threads are shared out among the lanes. */
async function workerLanes(search: CheckedSearch, part: Part, many: number): Promise<Lane[]> {
  const start = {
    setup: setupOf(search, part),
    build: String(search.build),
    data: await shareData(search.data),
    threads: Math.max(1, Math.floor(threads() / many)),
  }
  return Array.from({ length: many }, () => new WorkerLane(start))
}

/** Undefined when the search was aborted meanwhile. */
async function runOne(
  search: CheckedSearch,
  part: Part,
  index: number,
  lane: Lane,
  signal: AbortSignal,
): Promise<Entry | undefined> {
  const { params, seed } = drawTrial(part.space, part.seed, index)
  const trial = { index, params, seed, value: Number.NaN, history: noHistory() }
  try {
    const job: Job = { index, params, seed, batchSize: batchSizeOf(search, params) }
    const outcome = await lane.run(job, signal)
    return outcome && { trial: { ...trial, ...judged(search, outcome) }, mode: outcome.mode }
  } catch (thrown) {
    if (thrown instanceof LaneError) throw thrown
    const error = asError(thrown)
    return { trial: { ...trial, status: 'failed', reason: error.message, error }, mode: 'max' }
  }
}

function judged(
  { op, objective }: CheckedSearch,
  { history, mode, diverged }: Outcome,
): Pick<Trial, 'history' | 'status' | 'value' | 'reason'> {
  if (diverged !== undefined) return { history, status: 'diverged', value: Number.NaN, reason: diverged }
  return { history, status: 'done', value: worth(op, objective, mode, history) }
}

function batchSizeOf({ op, batchSize }: CheckedSearch, params: Params): number {
  if (typeof batchSize === 'number') return batchSize
  const size: unknown = batchSize(params as never)
  if (size instanceof Promise) throw typeError(`${op}: batchSize must return a number, not a promise`)
  return checkCount(op, 'batchSize', size)
}
