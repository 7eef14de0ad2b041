// Descriptions of models with something wrong in them: loaded, or refused with a FormatError.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import {
  callbacks,
  FormatError,
  input,
  layers,
  loadModel,
  loadTensors,
  type Model,
  model,
  optimizers,
  preprocessing,
  randomNormal,
  schedules,
  sequential,
} from 'ferrograd'
import { Snapshot } from '../../dist/io/encode.js'
import { TensorFile } from '../../dist/io/tensor-file.js'
import { temporaryFolder } from '../helpers/folder.js'

/** A little of everything that a file can hold. */
async function saved(path: string): Promise<void> {
  const x = input({ shape: [8, 8, 2] })
  const c = layers.conv2d({ filters: 3, kernelSize: 3, padding: 'same', kernelRegularizer: 'l2' }).apply(x)
  const inner = sequential({
    name: 'inner',
    layers: [
      layers.batchNorm(),
      layers.dropout({ rate: 0.3, seed: 3 }),
      layers.maxout({ filters: 3, kernelSize: 1, pieces: 2 }),
    ],
  })
  const joined = layers.add().apply([inner.apply(c), c])
  const net: Model = model({ inputs: x, outputs: layers.dense({ units: 3 }).apply(layers.flatten().apply(joined)) })
  const learningRate = schedules.cosineDecay({ initialLearningRate: 0.1, decaySteps: 9 })
  const optimizer = optimizers.sgd({ momentum: 0.9, learningRate })
  net.compile({ optimizer, loss: 'softmaxCrossEntropy', metrics: ['accuracy', 'precision'] })
  const images = randomNormal([8, 8, 8, 2], { seed: 1 })
  const steps = [preprocessing.zeroCenter({ per: 'channel' }), preprocessing.standardize({ per: 'pixel' })]
  net.preprocessing = await preprocessing.pipeline(steps).fit(images)
  const stopper = callbacks.earlyStopping({ monitor: 'loss', restoreBestWeights: true, patience: 9 })
  const saver = callbacks.checkpoint({ path })
  await net.fit(images, [0, 1, 2, 0, 1, 2, 0, 1], { epochs: 2, verbose: 0, callbacks: [stopper, saver] })
}

const junk = [
  ...[null, true, -1, 0, 1, 2.5, 1e9, 2 ** 53, 1e308, '', 'x', '__proto__', 'constructor', 'same', 'dense_1/kernel'],
  ...[
    [],
    [1],
    [null],
    {},
    { kind: 'dense', config: { units: 3 } },
    { kind: 'constructor' },
    [
      [1, 2],
      [3, 4],
    ],
  ],
]

/** Takes something out of a random place, puts junk there, or lets it stand twice. */
function mutate(description: object, pick: (n: number) => number): void {
  let at = description as Record<string, unknown>
  for (let keys = Object.keys(at); keys.length > 0; keys = Object.keys(at)) {
    const key = keys[pick(keys.length)]!
    const value = at[key]
    if (typeof value === 'object' && value !== null && Object.keys(value).length > 0 && pick(4) > 0) {
      at = value as Record<string, unknown>
      continue
    }
    const what = pick(4)
    if (what === 0) delete at[key]
    else if (what === 1 && Array.isArray(at)) at.push(structuredClone(value))
    else at[key] = structuredClone(junk[pick(junk.length)])
    return
  }
}

test('a mutated description is a model, or refused with a FormatError', async (t) => {
  const path = join(temporaryFolder(t), 'a.safetensors')
  await saved(path)
  const file = await TensorFile.open('test', path)
  await file.close()
  const text = file.metadata.get('ferrograd')!
  const tensors = Object.entries(await loadTensors(path))
  t.true(tensors.some(([name]) => name.startsWith('/callbacks/')))
  ;(await loadModel(path)).dispose()
  let state = 12345
  const pick = (n: number) => {
    state = (state * 1103515245 + 12345) % 2 ** 31
    return Math.floor((state / 2 ** 31) * n)
  }
  const found = { loaded: 0, refused: 0 }
  for (let i = 0; i < 400; i++) {
    const description = JSON.parse(text)
    for (let changes = 1 + pick(2); changes > 0; changes--) mutate(description, pick)
    const parts: Uint8Array[] = []
    const metadata = { ferrograd: JSON.stringify(description) }
    for await (const part of new Snapshot('test', tensors, { metadata }).bytes()) parts.push(part)
    writeFileSync(path, Buffer.concat(parts))
    try {
      ;(await loadModel(path)).dispose()
      found.loaded++
    } catch (error) {
      if (!(error instanceof FormatError)) throw error
      found.refused++
    }
  }
  t.true(found.loaded > 10 && found.refused > 200, JSON.stringify(found))
})
