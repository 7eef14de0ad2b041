// How much memory a training step takes: each job in a fresh process of each library, five steps, the most that was ever
// resident, and that less what the library takes once it is imported. Linux only: the system keeps the record.
//
//   npm run bench -- peak-memory
//   npm run bench -- peak-memory vgg16 mlp

import { fork } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { threads } from 'ferrograd'
import { jobNamed, selectJobs } from './jobs.js'
import { makeTask } from './peers/ferrograd.js'
import { startPython } from './peers/pytorch.js'
import { showRatio, showTable } from './table.js'
import type { Job } from './work.js'

const STEPS = 5

/** Bytes. */
interface Memory {
  imported: number
  peak: number
}

/** Bytes of this process: VmRSS are now in memory, VmHWM were at most. */
function resident(field: 'VmRSS' | 'VmHWM'): number {
  const found = new RegExp(`${field}:\\s*(\\d+)`).exec(readFileSync('/proc/self/status', 'utf8'))
  return 1024 * Number(found![1])
}

/** In the fresh process. */
async function train(job: Job): Promise<void> {
  const imported = resident('VmRSS')
  const { run } = makeTask(job)
  for (let step = 0; step < STEPS; step++) await run()
  const memory: Memory = { imported, peak: resident('VmHWM') }
  process.send!(memory, () => process.exit(0))
}

function ofFerrograd(job: Job): Promise<Memory> {
  const child = fork(fileURLToPath(import.meta.url), ['train', job.name])
  return new Promise((resolve, reject) => {
    child.once('message', (memory) => resolve(memory as Memory))
    child.once('exit', (code) => reject(new Error(`the process of ${job.name} ended with code ${code}`)))
  })
}

async function ofPytorch(job: Job, layout: string): Promise<Memory> {
  const { python } = await startPython(threads())
  const { imported, peak, cannot } = await python.ask({ peak: job.work, layout, steps: STEPS, threads: threads() })
  python.stop()
  if (imported === undefined || peak === undefined) throw new Error(`${job.name}: PyTorch ${cannot}`)
  return { imported, peak }
}

async function row(job: Job, withPytorch: boolean): Promise<string[]> {
  const mb = (bytes: number): string => `${Math.round(bytes / 1e6).toLocaleString('en')}`
  const above = ({ imported, peak }: Memory): number => peak - imported
  const cells = ({ peak, imported }: Memory): string => `${mb(peak)} (${mb(peak - imported)})`
  const own = await ofFerrograd(job)
  if (!withPytorch) return [job.title, cells(own)]
  const [contiguous, channelsLast] = [await ofPytorch(job, 'contiguous'), await ofPytorch(job, 'channels_last')]
  const least = Math.min(above(contiguous), above(channelsLast))
  return [job.title, cells(own), cells(contiguous), cells(channelsLast), showRatio(least / above(own))]
}

async function compare(words: readonly string[]): Promise<void> {
  const jobs = selectJobs(words.length === 0 ? ['steps'] : words).filter(({ work }) => work.op === 'step')
  let header = ['MB resident at most (above import)', 'ferrograd', 'PyTorch contiguous', 'channels_last', 'ratio']
  const missing = await startPython(threads()).then(
    ({ python }) => python.stop(),
    (error: Error) => error.message,
  )
  if (missing !== undefined) {
    console.log(`PyTorch: not here. ${missing}`)
    header = header.slice(0, 2)
  }
  const rows = [header]
  for (const job of jobs) rows.push(await row(job, missing === undefined))
  console.log(showTable(rows))
  console.log('\nThe ratio is of what comes on top of the import, PyTorch’s better layout over ferrograd.')
}

const [first, name] = process.argv.slice(2)
if (!existsSync('/proc/self/status')) throw new Error('peak-memory: only Linux tells how much memory was taken at most')
if (first === 'train') await train(jobNamed(name!))
else await compare(process.argv.slice(3))
