// What a busy process beside costs: the median time of a training step and of ops, alone and beside an endless loop, in turn.
// Two threads on two processors have a fair share of 4/3 beside one loop, a slowdown of 1.5×.
//
//   npm run bench -- busy-neighbour
//   npm run bench -- busy-neighbour vgg-step

import { spawn } from 'node:child_process'
import { threads } from 'ferrograd'
import { selectJobs } from './jobs.js'
import { makeTask } from './peers/ferrograd.js'
import type { Timed } from './peers/peer.js'
import { startPython } from './peers/pytorch.js'
import { showRatio, showSeconds, showTable } from './table.js'
import type { Job } from './work.js'

const ROUNDS = 5
const SECONDS = 1

interface Times {
  alone: number[]
  beside: number[]
}

/** The median of a second of runs, as PyTorch's process measures it: means of 20 ms or one run. */
type Measure = () => Promise<number>

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!

async function medianOf({ run, per = 1 }: Timed): Promise<number> {
  const times: number[] = []
  const start = performance.now()
  do {
    const chunk = performance.now()
    let count = 0
    do {
      await run()
      count += per
    } while (performance.now() - chunk < 20)
    times.push((performance.now() - chunk) / 1000 / count)
  } while (performance.now() - start < 1000 * SECONDS)
  return median(times)
}

async function besideLoop<T>(work: () => Promise<T>): Promise<T> {
  const neighbour = spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' })
  try {
    // Until it has started.
    await new Promise((resolve) => setTimeout(resolve, 300))
    return await work()
  } finally {
    neighbour.kill('SIGKILL')
    await new Promise((resolve) => neighbour.once('exit', resolve))
  }
}

async function observe(contenders: ReadonlyMap<string, Measure>): Promise<Map<string, Times>> {
  const found = new Map([...contenders.keys()].map((name): [string, Times] => [name, { alone: [], beside: [] }]))
  for (const measure of contenders.values()) await measure() // warm
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, measure] of contenders) found.get(name)!.alone.push(await measure())
    await besideLoop(async () => {
      for (const [name, measure] of contenders) found.get(name)!.beside.push(await measure())
    })
  }
  return found
}

function showRow(job: Job, peer: string, { alone, beside }: Times): string[] {
  const [quiet, busy] = [median(alone), median(beside)]
  return [`${job.title}, ${peer}`, showSeconds(quiet), showSeconds(busy), showRatio(busy / quiet)]
}

const words = process.argv.slice(3)
const jobs = selectJobs(words.length === 0 ? ['cnn-step-sgd', 'conv-cifar-c-all', 'matmul-1024'] : words)
const pytorch = await startPython(threads()).catch((error: Error) => {
  console.log(`PyTorch: not here. ${error.message}`)
  return undefined
})
const rows = [['medians', 'alone', 'beside a busy loop', 'slowdown']]
for (const job of jobs) {
  const task = makeTask(job)
  const contenders = new Map<string, Measure>([['ferrograd', () => medianOf(task)]])
  if (pytorch !== undefined) {
    const { cannot } = await pytorch.python.ask({ prepare: job.name, work: job.work, threads: threads() })
    if (cannot !== undefined) throw new Error(`${job.name}: PyTorch ${cannot}`)
    contenders.set('PyTorch', async () => {
      const { seconds, cannot } = await pytorch.python.ask({ median: job.name, seconds: 2 * SECONDS })
      if (seconds === undefined) throw new Error(`${job.name}: PyTorch ${cannot}`)
      return seconds
    })
  }
  for (const [peer, times] of await observe(contenders)) rows.push(showRow(job, peer, times))
  task.dispose()
  await pytorch?.python.ask({ release: job.name })
}
pytorch?.python.stop()
console.log(showTable(rows))
