// The same seed gives the same bits, whatever the number of threads.
import { createHash } from 'node:crypto'
import test from 'ava'
import { runChild } from '../helpers/child.js'

const train = `
  import { createHash } from 'node:crypto'
  f.setSeed(7)
  const { layers } = f
  const model = f.sequential({
    inputShape: [16, 16, 3],
    layers: [
      layers.conv2d({ filters: 32, kernelSize: 3, padding: 'same', activation: 'relu' }),
      layers.maxPool2d({ poolSize: 2 }),
      layers.conv2d({ filters: 48, kernelSize: 3, padding: 'same', strides: 2 }),
      layers.batchNorm(),
      layers.activation({ activation: 'gelu' }),
      layers.flatten(),
      layers.dropout({ rate: 0.25 }),
      layers.dense({ units: 100, activation: 'relu' }),
      layers.dense({ units: 10 }),
    ],
  })
  model.compile({ optimizer: f.optimizers.adam({ globalClipNorm: 1 }), loss: 'softmaxCrossEntropy' })
  const x = f.randomNormal([480, 16, 16, 3], { seed: 1 })
  const y = f.tensor(Int32Array.from({ length: 480 }, (_, i) => (i * 7) % 10))
  const { history } = await model.fit(x, y, { epochs: 2, batchSize: 32, verbose: 0 })
  const hash = createHash('sha256').update(JSON.stringify(history.loss))
  for (const weight of model.getWeights()) hash.update(Buffer.from((await weight.data()).buffer))
  console.log(hash.digest('hex'))
`

test('thirty steps on 1, 2 and 4 threads, and again, end in the same weights', async (t) => {
  const runs = await Promise.all(['1', '2', '4', '2'].map((threads) => runChild(train, { FERROGRAD_THREADS: threads })))
  for (const { stdout, stderr, code } of runs) {
    t.is(code, 0, stderr)
    t.is(stdout, runs[0]!.stdout)
    t.regex(stdout, /^[0-9a-f]{64}\n$/)
  }
})

test('another seed gives other weights', async (t) => {
  const [one, other] = await Promise.all([runChild(train), runChild(train.replace('setSeed(7)', 'setSeed(8)'))])
  t.not(one.stdout, other.stdout)
  t.not(one.stdout, createHash('sha256').digest('hex'))
})
