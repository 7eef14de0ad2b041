// How the work of one operation or step spreads over threads: each count in turn, best of N.
//
//   npm run bench -- threads

import { availableParallelism } from 'node:os'
import { setThreads } from 'ferrograd'
import { type Contender, compare } from './harness.js'
import { jobNamed } from './jobs.js'
import { makeTask } from './peers/ferrograd.js'
import { showSeconds } from './table.js'

const names = ['matmul-256', 'matmul-1024', 'conv-cifar-b-forward', 'relu', 'mlp-step', 'cnn-step-sgd', 'vgg-step']
const counts = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64].filter((n) => n <= availableParallelism())

for (const name of names) {
  const job = jobNamed(name)
  const task = makeTask(job)
  const contenders = counts.map(
    (n): Contender => ({ peer: String(n), task: { ...task, select: async () => setThreads(n) } }),
  )
  const found = await compare(contenders, { rounds: 5, seconds: 0.3 })
  task.dispose()
  console.log(job.title)
  const one = found[0]!.seconds
  for (const { peer, seconds, cannot } of found) {
    const text =
      seconds === undefined || one === undefined
        ? `–  ${cannot}`
        : `${(one / seconds).toFixed(2)}×  ${showSeconds(seconds)}`
    console.log(`  ${peer.padStart(3)} thread${peer === '1' ? ' ' : 's'}  ${text}`)
  }
}
