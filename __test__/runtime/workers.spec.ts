// Worker threads: each has its own stream, memory and seeds.
import { Worker } from 'node:worker_threads'
import test from 'ava'
import { tensor } from 'ferrograd'
import { packageUrl, runScript } from '../helpers/child.js'

const step = `
  const { parentPort } = require('node:worker_threads')
  import(${JSON.stringify(packageUrl)}).then(async (f) => {
    f.setSeed(1)
    const model = f.sequential({
      inputShape: [12, 12, 2],
      layers: [
        f.layers.conv2d({ filters: 8, kernelSize: 3, activation: 'relu' }),
        f.layers.maxPool2d({ poolSize: 2 }),
        f.layers.flatten(),
        f.layers.dense({ units: 5 }),
      ],
    })
    model.compile({ optimizer: 'adam', loss: 'softmaxCrossEntropy' })
    const x = f.randomNormal([256, 12, 12, 2], { seed: 2 })
    const y = f.tensor(Int32Array.from({ length: 256 }, (_, i) => i % 5))
    const first = (await model.trainOnBatch(x, y)).loss
    parentPort.postMessage('training')
    let last = first
    for (let i = 0; i < STEPS; i++) last = (await model.trainOnBatch(x, y)).loss
    parentPort.postMessage([first, last])
  })
`

test.serial('four workers train at once and get the same numbers', async (t) => {
  const results = await Promise.all(
    Array.from(
      { length: 4 },
      () =>
        new Promise<[number, number]>((resolve, reject) => {
          const worker = new Worker(step.replace('STEPS', '30'), { eval: true })
          worker.on('message', (message) => message !== 'training' && resolve(message))
          worker.on('error', reject)
        }),
    ),
  )
  for (const [first, last] of results) {
    t.deepEqual([first, last], results[0])
    t.true(last < first)
  }
})

test.serial('workers terminated in mid-step leave the process well, 25 times over', async (t) => {
  for (let round = 0; round < 25; round++) {
    const workers = Array.from({ length: 4 }, () => new Worker(step.replace('STEPS', '1e9'), { eval: true }))
    await Promise.all(
      workers.map(
        (worker) =>
          new Promise<void>((resolve, reject) => {
            worker.on('error', reject)
            worker.on('message', () => setTimeout(() => worker.terminate().then(() => resolve()), round % 7))
          }),
      ),
    )
  }
  t.is(await tensor([1]).item(), 1)
})

test('an addon loaded only in a worker may outlive it', async (t) => {
  const result = await runScript(`
    import { Worker } from 'node:worker_threads'
    for (let i = 0; i < 5; i++) {
      const worker = new Worker(${JSON.stringify(step.replace('STEPS', '3'))}, { eval: true, execArgv: [] })
      await new Promise((resolve) => worker.on('exit', resolve))
    }
    console.log('done')
  `)
  t.like(result, { code: 0, signal: null, stdout: 'done\n' })
})
