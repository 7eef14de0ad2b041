// Whether memory stays flat: live tensors, pooled bytes and the resident size over thousands of training steps.
//
//   npm run bench -- memory [steps]

import { add, memory, optimizers, tensor } from 'ferrograd'
import { mlp, training } from './peers/ferrograd-networks.js'
import { fill } from './peers/peer.js'

const steps = Number(process.argv.find((word) => /^\d+$/.test(word)) ?? 20000)

/** The growth of the second half of the samples, in units per thousand steps (least squares). */
function slope(samples: { step: number; value: number }[]): number {
  const half = samples.slice(samples.length >> 1)
  const mean = (pick: (s: { step: number; value: number }) => number): number =>
    half.reduce((sum, sample) => sum + pick(sample), 0) / half.length
  const [meanStep, meanValue] = [mean((s) => s.step), mean((s) => s.value)]
  const covariance = mean((s) => (s.step - meanStep) * (s.value - meanValue))
  return (1000 * covariance) / mean((s) => (s.step - meanStep) ** 2)
}

async function watch(name: string, step: () => Promise<unknown>): Promise<void> {
  console.log(name)
  const resident: { step: number; value: number }[] = []
  for (let i = 1; i <= steps; i++) {
    await step()
    if (i % Math.ceil(steps / 50) === 0) resident.push({ step: i, value: process.memoryUsage.rss() / 1024 })
    if (i % Math.ceil(steps / 5) === 0) {
      const { tensors, bytes, poolBytes } = memory()
      const mb = (n: number): string => `${(n / 2 ** 20).toFixed(1)} MB`
      console.log(
        `  step ${String(i).padStart(6)}: ${tensors} tensors, ${mb(bytes)}, pool ${mb(poolBytes)}, resident ${mb(process.memoryUsage.rss())}`,
      )
    }
  }
  console.log(`  resident memory grows by ${slope(resident).toFixed(1)} kB in 1,000 steps`)
}

const xs = tensor(fill(64 * 784), { shape: [64, 784] })
const { run } = training(mlp(), optimizers.adam({ learningRate: 0.001 }), xs)
await watch('training steps inside scope()', run)

const ones = tensor(fill(4096))
await watch('ten tensors a step left to the garbage collector', async () => {
  for (let i = 0; i < 10; i++) add(ones, ones)
  await new Promise(setImmediate)
})
