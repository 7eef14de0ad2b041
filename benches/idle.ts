// What threads cost when there is nothing to do, and what handing over an op costs when there is: the processor time of a
// process that has trained and idles, and tiny ops behind a step in flight.
//
//   npm run bench -- idle

import { add, scope, type Tensor, tensor } from 'ferrograd'
import { jobNamed } from './jobs.js'
import { makeTask } from './peers/ferrograd.js'
import { fill } from './peers/peer.js'
import { showSeconds } from './table.js'

const IDLE_SECONDS = 5
const OPS = 1000
/** Fewer than may be queued, so that queueing them never waits. */
const QUEUED_OPS = 500
const ROUNDS = 20

const seconds = (start: number): number => (performance.now() - start) / 1000

async function idle(): Promise<void> {
  const { run, dispose } = makeTask(jobNamed('cnn-step-sgd'))
  for (let step = 0; step < 50; step++) await run()
  const before = process.cpuUsage()
  await new Promise((resolve) => setTimeout(resolve, 1000 * IDLE_SECONDS))
  const { user, system } = process.cpuUsage(before)
  const share = (100 * (user + system)) / 1e6 / IDLE_SECONDS
  console.log(
    `after 50 steps: ${showSeconds((user + system) / 1e6)} of processor time in ${IDLE_SECONDS} s of idling (${share.toFixed(2)} % of one processor)`,
  )
  dispose()
}

const one = tensor(fill(16))

/** Each takes what the one before it gave. */
function chain(length: number): Tensor {
  return scope(() => {
    let x = one
    for (let i = 0; i < length; i++) x = add(x, one)
    return x
  })
}

async function handOver(): Promise<void> {
  const step = makeTask(jobNamed('vgg-step'))
  const found: Record<'step' | 'behind' | 'queueing' | 'alone', number[]> = {
    step: [],
    behind: [],
    queueing: [],
    alone: [],
  }
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now()
    const loss = step.run() // queued whole before it returns
    const queueing = performance.now()
    const behind = chain(QUEUED_OPS)
    found.queueing.push(seconds(queueing) / QUEUED_OPS)
    await loss
    found.step.push(seconds(start))
    // All of the chain is queued: what is left is handing one op over after the other.
    const done = performance.now()
    await behind.data()
    found.behind.push(seconds(done) / QUEUED_OPS)
    behind.dispose()

    const again = performance.now()
    const alone = chain(OPS)
    await alone.data()
    found.alone.push(seconds(again) / OPS)
    alone.dispose()
  }
  step.dispose()
  const show = (name: keyof typeof found): string => showSeconds(found[name].sort((a, b) => a - b)[ROUNDS / 2]!)
  console.log('a chain of additions of 16 numbers, each op, median:')
  console.log(
    `  ${show('behind')} when ${QUEUED_OPS} are queued behind a training step of ${show('step')}, from its end on`,
  )
  console.log(`  ${show('queueing')} of JavaScript to queue one while the step runs`)
  console.log(`  ${show('alone')} for ${OPS} by themselves, with waking the threads and waiting for the result`)
}

await idle()
await handOver()
