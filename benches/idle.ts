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
  const best = { step: Infinity, both: Infinity, alone: Infinity, queueing: Infinity }
  const note = (what: keyof typeof best, value: number): void => {
    best[what] = Math.min(best[what], value)
  }
  for (let round = 0; round < ROUNDS; round++) {
    let start = performance.now()
    await step.run()
    note('step', seconds(start))

    start = performance.now()
    const loss = step.run() // queued whole before it returns
    const last = chain(OPS)
    await last.data()
    note('both', seconds(start))
    await loss
    last.dispose()

    const again = step.run()
    start = performance.now()
    const queued = chain(QUEUED_OPS)
    note('queueing', seconds(start) / QUEUED_OPS)
    await again
    queued.dispose()

    start = performance.now()
    const alone = chain(OPS)
    await alone.data()
    note('alone', seconds(start) / OPS)
    alone.dispose()
  }
  step.dispose()
  const behind = Math.max(0, best.both - best.step) / OPS
  console.log(`a chain of ${OPS} additions of 16 numbers, each op:`)
  console.log(`  ${showSeconds(best.alone)} by itself`)
  console.log(`  ${showSeconds(behind)} behind a training step of ${showSeconds(best.step)}, on top of it`)
  console.log(`  ${showSeconds(best.queueing)} of JavaScript to queue one while the step runs`)
}

await idle()
await handOver()
