// What a worker thread of a search runs: trial after trial, as they are sent.

import { parentPort, workerData } from 'node:worker_threads'
import { setThreads } from '../tensor/runtime.js'
import { Builder, importBuild } from './build.js'
import { type PortableError, toPortable } from './portable-error.js'
import { type Job, type Outcome, runTrial, type Setup } from './run-trial.js'
import { type SharedData, takeData } from './shared-data.js'

/** @internal What a worker is started with. */
export interface WorkerStart {
  readonly setup: Setup
  readonly build: string
  readonly data: SharedData
  readonly threads: number
}

/** @internal What a worker says: that it is ready, and what came of each trial; or why not. */
export type WorkerMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'outcome'; readonly outcome: Outcome }
  | { readonly kind: 'error'; readonly error: PortableError }

async function serve({ setup, build, data, threads }: WorkerStart): Promise<void> {
  const port = parentPort!
  const say = (message: WorkerMessage) => port.postMessage(message)
  try {
    setThreads(threads)
    const builder = new Builder(setup.op, await importBuild(setup.op, new URL(build)))
    const taken = takeData(data)
    port.on('message', async (job: Job) => {
      try {
        say({ kind: 'outcome', outcome: (await runTrial(setup, job, builder, taken, undefined))! })
      } catch (error) {
        say({ kind: 'error', error: toPortable(error) })
      }
    })
    say({ kind: 'ready' })
  } catch (error) {
    say({ kind: 'error', error: toPortable(error) })
  }
}

await serve(workerData as WorkerStart)
