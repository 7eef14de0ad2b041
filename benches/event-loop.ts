// What a server feels while it trains: the delay of its event loop, and the latency of its HTTP answers, idle and
// during fit().
//
//   npm run bench -- event-loop

import { fork } from 'node:child_process'
import { createServer, get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { optimizers, tensor } from 'ferrograd'
import { mnistCnn } from './peers/ferrograd-networks.js'
import { fill, labels } from './peers/peer.js'

const file = fileURLToPath(import.meta.url)

/** A process of its own asks every 5 ms until it is told to stop, and then reports its latencies in milliseconds. */
function beClient(port: number): void {
  const latencies: number[] = []
  const ask = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const start = performance.now()
      get({ port, agent: false }, (response) => {
        response.resume().on('end', () => {
          latencies.push(performance.now() - start)
          resolve()
        })
      }).on('error', reject)
    })
  let going = true
  process.on('message', () => {
    going = false
  })
  void (async () => {
    while (going) {
      await ask()
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    process.send!(latencies, () => process.exit(0))
  })()
}

const percentile = (sorted: number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!

async function observe(name: string, port: number, work: () => Promise<unknown>): Promise<void> {
  const client = fork(file, ['client', String(port)])
  // It needs a moment to start; its first request tells that it did.
  await new Promise<void>((resolve) => server.once('request', () => resolve()))
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  await work()
  delay.disable()
  const latencies = await new Promise<number[]>((resolve) => {
    client.once('message', (values) => resolve((values as number[]).sort((a, b) => a - b)))
    client.send('stop')
  })
  const ms = (n: number): string => `${n.toFixed(2)} ms`
  // The timer behind the histogram fires every millisecond; what is above that is delay.
  const late = (n: number): string => ms(Math.max(0, n / 1e6 - 1))
  console.log(
    [
      name,
      `  event loop late by  ${late(delay.percentile(50))} (median)  ${late(delay.percentile(99))} (99 %)  ${late(delay.max)} (worst)`,
      `  HTTP answer after   ${ms(percentile(latencies, 0.5))} (median)  ${ms(percentile(latencies, 0.99))} (99 %)  ${ms(latencies.at(-1)!)} (worst)  of ${latencies.length}`,
    ].join('\n'),
  )
}

const server = createServer((_, response) => response.end('ok'))

if (process.argv.includes('client')) {
  beClient(Number(process.argv.at(-1)))
} else {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await observe('idle', port, () => new Promise((resolve) => setTimeout(resolve, 3000)))

  const examples = 4096
  const model = mnistCnn()
  model.compile({
    optimizer: optimizers.sgd({ learningRate: 0.01 }),
    loss: 'softmaxCrossEntropy',
    metrics: ['accuracy'],
  })
  const images = tensor(fill(examples * 784), { shape: [examples, 28, 28, 1] })
  const answers = tensor(labels(examples))
  const start = performance.now()
  let epochs = 0
  await observe('training a CNN with fit()', port, async () => {
    while (performance.now() - start < 5000) {
      await model.fit(images, answers, { batchSize: 64, epochs: 1, verbose: 0 })
      epochs++
    }
  })
  const rate = (epochs * examples) / ((performance.now() - start) / 1000)
  console.log(`  ${Math.round(rate).toLocaleString('en')} images a second meanwhile`)
  server.close()
}
