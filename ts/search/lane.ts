// Where trials run: on this thread, or each in its turn on a worker thread.

import { Worker } from 'node:worker_threads'
import type { Builder } from './build.js'
import { fromPortable } from './portable-error.js'
import { type Job, type Outcome, runTrial, type SearchData, type Setup } from './run-trial.js'
import type { WorkerMessage, WorkerStart } from './worker.js'

/** @internal Runs one trial at a time. */
export interface Lane {
  /** Undefined when `signal` ended it; rejects with a {@link LaneError} when no trial can run here. */
  run(job: Job, signal: AbortSignal): Promise<Outcome | undefined>
  close(): Promise<void>
}

/** @internal Wraps an error for which no trial is to blame: the search has to end with its cause. */
export class LaneError extends Error {
  constructor(override readonly cause: Error) {
    super(cause.message)
  }
}

/** @internal This thread. */
export class OwnLane implements Lane {
  constructor(
    private readonly setup: Setup,
    private readonly builder: Builder,
    private readonly data: SearchData,
  ) {}

  run(job: Job, signal: AbortSignal): Promise<Outcome | undefined> {
    return runTrial(this.setup, job, this.builder, this.data, signal)
  }

  async close(): Promise<void> {}
}

/** @internal A worker thread, started when the first trial comes, and again after it has died. */
export class WorkerLane implements Lane {
  private worker: SearchWorker | undefined

  constructor(private readonly start: WorkerStart) {}

  async run(job: Job, signal: AbortSignal): Promise<Outcome | undefined> {
    if (signal.aborted) return undefined
    const abort = () => void this.close()
    signal.addEventListener('abort', abort, { once: true })
    try {
      if (this.worker?.dead !== false) this.worker = await this.open()
      const said = await this.worker.ask(job)
      if (said.kind === 'outcome') return said.outcome
      throw said.kind === 'error' ? fromPortable(said.error) : new Error('a worker thread spoke out of turn')
    } catch (error) {
      if (signal.aborted) return undefined
      throw error
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }

  async close(): Promise<void> {
    await this.worker?.terminate()
  }

  private async open(): Promise<SearchWorker> {
    const worker = new SearchWorker(this.start)
    this.worker = worker
    const said = await worker.answer().catch((error: Error) => {
      const why = `${this.start.setup.op}: a worker thread could not begin: ${error.message}`
      throw new LaneError(new Error(why, { cause: error }))
    })
    if (said.kind === 'ready') return worker
    await worker.terminate()
    throw new LaneError(
      said.kind === 'error' ? fromPortable(said.error) : new Error('a worker thread spoke out of turn'),
    )
  }
}

/** A thread that says one thing for each that it is told. */
class SearchWorker {
  dead = false
  private readonly worker: Worker
  private waiting: { resolve: (said: WorkerMessage) => void; reject: (error: Error) => void } | undefined

  constructor(start: WorkerStart) {
    // Options about a script that was given as text would keep a worker, which is a file, from starting.
    const text = process.execArgv.some((option) => option.startsWith('--input-type'))
    this.worker = new Worker(new URL('./worker.js', import.meta.url), {
      name: 'ferrograd search',
      workerData: start,
      ...(text && { execArgv: [] }),
    })
    this.worker.on('message', (said: WorkerMessage) => this.waiting?.resolve(said))
    this.worker.on('error', (error) => this.die(error instanceof Error ? error : new Error(String(error))))
    this.worker.on('exit', (code) => this.die(new Error(`the worker thread ended with exit code ${code}`)))
  }

  /** The next thing that it says. Rejects when it dies instead. */
  answer(): Promise<WorkerMessage> {
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject }
    })
  }

  ask(job: Job): Promise<WorkerMessage> {
    const arriving = this.answer()
    this.worker.postMessage(job)
    return arriving
  }

  async terminate(): Promise<void> {
    await this.worker.terminate()
  }

  private die(error: Error): void {
    this.dead = true
    this.waiting?.reject(error)
  }
}
