// Models in files: what they hold, and what is refused.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import {
  FormatError,
  model as graph,
  input,
  Layer,
  type LayerConfig,
  layers,
  loadModel,
  loadTensors,
  losses,
  Metric,
  memory,
  metrics,
  mul,
  ones,
  optimizers,
  preprocessing,
  saveTensors,
  sequential,
  sum,
  type Tensor,
  tensor,
  zeros,
} from 'ferrograd'
import { Snapshot } from '../../dist/io/encode.js'
import { temporaryFolder } from '../helpers/folder.js'
import { bits, cutOff, inputShape, network, options, x, y } from '../helpers/resume.js'

test('what is in the file', async (t) => {
  const path = join(temporaryFolder(t), 'a.safetensors')
  const net = network(optimizers.sgd({ momentum: 0.9 }))
  await net.trainOnBatch(x, y)
  await net.save(path)
  const [conv, norm, dense] = ['conv2d_1', 'batchNorm_1', 'dense_1']
  const weights = [
    `${conv}/kernel`,
    `${conv}/bias`,
    ...['gamma', 'beta', 'mean', 'variance'].map((w) => `${norm}/${w}`),
  ]
  weights.push(`${dense}/kernel`, `${dense}/bias`)
  const learning = weights.filter((path) => !/mean|variance/.test(path))
  const names = Object.keys(await loadTensors(path)).sort()
  t.deepEqual(names, [...weights, ...learning.map((path) => `/optimizer/momentum/${path}`)].sort())
  await net.save(path, { includeOptimizer: false })
  t.deepEqual(Object.keys(await loadTensors(path)).sort(), weights.sort())
  const bare = await loadModel(path)
  t.is(await bits(bare), await bits(net))
  t.deepEqual(bare.position, { epoch: 0, batch: 0 })
  await t.throwsAsync(bare.evaluate(x, y), { message: /is not compiled/ })
})

test('frozen weights, graphs of several outputs, and float64', async (t) => {
  const path = join(temporaryFolder(t), 'a.safetensors')
  const a = input({ shape: [4], dtype: 'float64' })
  const inner = sequential({
    name: 'inner',
    layers: [layers.dense({ units: 3, name: 'd' }), layers.dropout({ rate: 0.5, seed: 1 })],
  })
  const u = inner.apply(a)
  const net = graph({ inputs: a, outputs: [layers.dense({ units: 2, trainable: false }).apply(u), u], name: 'two' })
  ;(inner.weights[0] as { trainable: boolean }).trainable = false
  const ten = ones([10, 4], { dtype: 'float64' })
  net.forward(ten, { training: true })
  await net.save(path)
  const loaded = (await loadModel(path)) as unknown as typeof net
  t.deepEqual(
    loaded.weights.map((w) => [w.name, w.trainable, w.dtype]),
    net.weights.map((w) => [w.name, w.trainable, w.dtype]),
  )
  // The layer's own random sequence goes on.
  const [p, q] = [net.forward(ten, { training: true }), loaded.forward(ten, { training: true })]
  t.deepEqual(await q[1]!.array(), await p[1]!.array())
})

class Scale extends Layer {
  override build() {
    this.addWeight('by', [], 'ones')
  }
  override forward(x: Tensor) {
    return mul(x, this.weights[0]!)
  }
}
/** Called like one of the library, and yet the user's. */
class Flatten extends Layer {
  override forward(x: Tensor) {
    return x
  }
}
class Total extends Metric {
  constructor() {
    super('total')
  }
  measure(predictions: Tensor) {
    return { sums: sum(predictions), count: 1 }
  }
  value(sums: readonly number[]) {
    return sums[0]!
  }
}
const squares = (p: Tensor, l: Tensor) => losses.meanSquaredError(p, l)

test('layers, losses and metrics of the user', async (t) => {
  const path = join(temporaryFolder(t), 'a.safetensors')
  const net = sequential({ inputShape: [2], layers: [new Scale(), new Flatten(), layers.dense({ units: 1 })] })
  net.compile({ optimizer: 'sgd', loss: squares, metrics: [new Total(), 'meanAbsoluteError'] })
  await net.save(path)
  const own = {
    scale: (config: LayerConfig) => new Scale(config as object),
    flatten: (config: LayerConfig) => new Flatten(config as object),
  }
  const loaded = await loadModel(path, { layers: own, loss: squares, metrics: [new Total()] })
  const [data, labels] = [ones([3, 2]), zeros([3, 1])]
  t.deepEqual(await loaded.evaluate(data, labels), await net.evaluate(data, labels))
  const op = `loadModel ${JSON.stringify(path)}`
  const { scale } = own
  await t.throwsAsync(loadModel(path, { layers: { scale }, loss: squares, metrics: [new Total()] }), {
    instanceOf: FormatError,
    message:
      /^loadModel ".*": the architecture in the file cannot be: a layer of kind "flatten"\. pass a function that makes it: \{ layers: \{ flatten: /,
  })
  const cases: [object, string][] = [
    [
      { layers: own, metrics: [new Total()] },
      `${op}: the model was trained with a loss of your own, "squares". pass it: loadModel(path, { loss }). got undefined`,
    ],
    [
      { layers: own, loss: squares },
      `${op}: the model has a metric of your own, "total". pass it: loadModel(path, { metrics: [ … ] })`,
    ],
    [
      { layers: own, loss: squares, metrics: [new Total(), metrics.accuracy()] },
      `${op}: the model has no metric of your own called "accuracy". leave it out of metrics`,
    ],
    [{ loss: 'squares' }, 'loadModel: loss must be a function. got "squares"'],
    [{ metrics: 'accuracy' }, 'loadModel: metrics must be an array of metrics. got "accuracy"'],
    [
      { layer: own },
      `loadModel: there is no option layer (got an object). valid are layers, loss, metrics and maxBytes`,
    ],
  ]
  for (const [given, message] of cases) {
    await t.throwsAsync(loadModel(path, given), { instanceOf: TypeError, message })
  }
  const known = network(optimizers.adam())
  await known.save(path)
  await t.throwsAsync(loadModel(path, { loss: squares }), {
    message: `${op}: the model was trained with the loss softmaxCrossEntropy, and option loss has no effect`,
  })
  await known.save(path, { includeOptimizer: false })
  await t.throwsAsync(loadModel(path, { loss: squares }), {
    message: `${op}: the file holds no training state: loss and metrics have no effect. call compile`,
  })
})

test('what cannot be saved or gone on with is said', async (t) => {
  const path = join(temporaryFolder(t), 'a.safetensors')
  const net = sequential({ layers: [layers.dense({ units: 1 })] })
  await t.throwsAsync(net.save(path), { message: /^sequential: saving needs the weights, which do not exist/ })
  await t.throwsAsync(net.save(3 as never), {
    message: 'sequential: save: path must be the name of a file, or a file: URL. got 3',
  })
  await t.throwsAsync(net.save(path, { optimizer: true } as never), {
    message: 'sequential: save: there is no option optimizer (got true). valid are includeOptimizer',
  })
  await t.throwsAsync(net.save(path, { includeOptimizer: 1 } as never), {
    message: 'sequential: save: includeOptimizer must be true or false. got 1',
  })
  const own = network(optimizers.sgd({ learningRate: { at: () => 0.1 } }))
  await t.throwsAsync(own.save(path), {
    message: /^sgd: learningRate is a schedule of your own, which a file cannot hold/,
  })

  const cut = network(optimizers.sgd())
  await cutOff(cut, 4)
  await t.throwsAsync(cut.fit(x, y, { ...options, batchSize: 128, initialEpoch: 0 }), {
    instanceOf: RangeError,
    message:
      'fit: the training stopped in epoch 0 after 4 batches of 256 samples, and batchSize is now 128. give batchSize: 256, or set model.position = { epoch: 0, batch: 0 } to begin the epoch again',
  })
  const few = {
    images: tensor(new Float32Array(512 * 64), { shape: [512, ...inputShape] }),
    labels: new Int32Array(512),
  }
  await t.throwsAsync(cut.fit(few.images, few.labels, { ...options, initialEpoch: 0 }), {
    message:
      'fit: the training stopped in epoch 0 after 4 batches, and now an epoch has 2. give the same data, or set model.position = { epoch: 0, batch: 0 } to begin the epoch again',
  })
  cut.position = { epoch: 0, batch: 0 }
  t.deepEqual((await cut.fit(few.images, few.labels, { ...options, epochs: 1, initialEpoch: 0 })).epoch, [0])
  t.throws(() => (cut.position = { epoch: -1, batch: 0 }), {
    message: 'sequential: position: epoch must be a whole number from 0. got -1',
  })
  t.throws(() => (cut.position = 3 as never), { message: 'sequential: position: expects an options object. got 3' })
})

test('preprocessing belongs to the model', async (t) => {
  const path = join(temporaryFolder(t), 'a.safetensors')
  const net = network(optimizers.adam())
  t.is(net.preprocessing, undefined)
  t.throws(() => (net.preprocessing = preprocessing.zca()), {
    instanceOf: TypeError,
    message: 'sequential: preprocessing.zca has not been fitted. await fit(trainImages) first',
  })
  t.throws(() => (net.preprocessing = 'zca' as never), {
    message: 'sequential: preprocessing must be one of preprocessing.*. got "zca"',
  })
  net.preprocessing = await preprocessing
    .pipeline([preprocessing.standardize({ per: 'pixel' }), preprocessing.pca({ components: 4 })])
    .fit(x)
  await net.save(path)
  const loaded = await loadModel(path)
  t.deepEqual(loaded.preprocessing!.config(), net.preprocessing.config())
  t.deepEqual(await loaded.preprocessing!.transform(x).data(), await net.preprocessing.transform(x).data())
  const { preprocessing: _, ...rest } = JSON.parse(await metadataOf(path))
  await writeParts(path, JSON.stringify(rest), Object.entries(await loadTensors(path)))
  await t.throwsAsync(loadModel(path), {
    instanceOf: FormatError,
    message: /the tensor "\/preprocessing\/.*" belongs to nothing/,
  })
  const wrong = { ...rest, preprocessing: { kind: 'magic', config: {} } }
  await writeParts(path, JSON.stringify(wrong), Object.entries(await loadTensors(path)))
  await t.throwsAsync(loadModel(path), { instanceOf: FormatError, message: /^loadModel ".*": .*"magic"/ })
})

test.serial('a file is not trusted', async (t) => {
  const path = join(temporaryFolder(t), 'a.safetensors')
  const op = `loadModel ${JSON.stringify(path)}`
  await saveTensors(path, { x: ones([1]) })
  await t.throwsAsync(loadModel(path), {
    instanceOf: FormatError,
    message: `${op}: the file holds tensors, but no model. loadTensors reads it`,
  })
  const net = network(optimizers.adam())
  await net.trainOnBatch(x, y)
  await net.save(path)
  const tensors = await loadTensors(path)
  const text = await metadataOf(path)
  const write = async (description: string, change: Record<string, Tensor | undefined> = {}) => {
    const kept = Object.entries({ ...tensors, ...change }).filter(
      (entry): entry is [string, Tensor] => entry[1] !== undefined,
    )
    await writeParts(path, description, kept)
  }
  await write(text)
  ;(await loadModel(path)).dispose()
  const changed = (keys: (string | number)[], value: unknown) => {
    const description = JSON.parse(text)
    const parent = keys.slice(0, -1).reduce((at, key) => at[key], description)
    parent[keys.at(-1)!] = value
    return JSON.stringify(description)
  }
  const kernel = 'dense_1/kernel'
  const cases: [string, string | RegExp, Record<string, Tensor | undefined>?][] = [
    ['{', /^loadModel ".*": the description of the model is no JSON\. /],
    ['[]', `${op}: the description of the model must be an object. got []`],
    [
      changed(['version'], 2),
      `${op}: the model was saved in version 2 of the format, and this is version 1. update ferrograd`,
    ],
    [changed(['version'], 'x'), `${op}: the model was saved in version "x" of the format, and this is version 1`],
    [changed(['model'], null), `${op}: the architecture in the file cannot be: a model: got null`],
    [
      changed(['model', 'layers', 5, 'config', 'units'], 2 ** 30),
      /the tensor "dense_1\/kernel" is float32 \[27, 10\], but the architecture wants float32 \[27, 1073741824\]/,
    ],
    [text, /the file has no tensor "dense_1\/kernel", which the architecture names/, { [kernel]: undefined }],
    [
      text,
      /the tensor "dense_1\/kernel" is float64 \[27, 10\], but/,
      { [kernel]: zeros([27, 10], { dtype: 'float64' }) },
    ],
    [text, `${op}: the tensor "more" belongs to nothing in the model`, { more: ones([2]) }],
    [text, `${op}: the tensor "/optimizer/m/dense_1/bias" is missing`, { '/optimizer/m/dense_1/bias': undefined }],
    [
      text,
      `${op}: the tensor "/optimizer/v/dense_1/bias" is float32 [3], but the weight is float32 [10]`,
      { '/optimizer/v/dense_1/bias': ones([3]) },
    ],
    [changed(['learning', 0], 'x'), `${op}: there is no weight "x" that could learn`],
    [changed(['learning'], 1), `${op}: learning must be an array. got 1`],
    [changed(['drawn'], { dense_1: 1 }), `${op}: "dense_1" has no random sequence`],
    [changed(['drawn', 'dropout_2'], -1), `${op}: drawn must be a whole number from 0. got -1`],
    [changed(['training'], 1), `${op}: the training state must be an object. got 1`],
    [changed(['training', 'optimizer', 'kind'], 'x'), /there is no optimizer of kind "x"/],
    [changed(['training', 'optimizer', 'beta1'], 2), /the optimizer cannot be rebuilt\. adam: beta1/],
    [changed(['training', 'loss'], { kind: 'x' }), /the training cannot be rebuilt\. compile: loss must be/],
    [changed(['training', 'metrics', 0], { kind: 'x' }), /there is no metric of kind "x"/],
    [changed(['training', 'metrics', 1, 'k'], 0), /the metric cannot be rebuilt\. metrics\.topKAccuracy: k must be/],
    [changed(['training', 'met', 0], 'x'), `${op}: the optimizer has a state for "x", which is no weight of the model`],
    [changed(['training', 'met', 1], 'conv2d_1/kernel'), `${op}: the optimizer has two states for "conv2d_1/kernel"`],
    [changed(['training', 'iterations'], 0.5), `${op}: iterations must be a whole number from 0. got 0.5`],
    [changed(['training', 'position', 'batch'], -1), `${op}: batch must be a whole number from 0. got -1`],
    [changed(['training', 'random', 'seed'], '1'), `${op}: seed must be a whole number from 0. got "1"`],
    [
      changed(['training', 'callbacks'], [{ kind: 'earlyStopping', numbers: {}, tensors: 1e9 }]),
      `${op}: the tensor "/callbacks/0/0" is missing`,
    ],
    [
      changed(['training', 'callbacks'], [{ kind: 'earlyStopping', numbers: { best: 'x' }, tensors: 0 }]),
      `${op}: "x" is no number`,
    ],
  ]
  const before = memory().tensors
  for (const [description, message, change] of cases) {
    await write(description, change)
    await t.throwsAsync(loadModel(path), { instanceOf: FormatError, message }, String(message))
  }
  const names = cases.flatMap(([, , change]) => Object.values(change ?? {})).filter((one) => one !== undefined).length
  t.true(memory().tensors - before <= names + 16 * cases.length)
})

async function writeParts(path: string, description: string, tensors: [string, Tensor][]): Promise<void> {
  const parts: Uint8Array[] = []
  const snapshot = new Snapshot('test', tensors, { metadata: { ferrograd: description } })
  for await (const part of snapshot.bytes()) parts.push(part)
  writeFileSync(path, Buffer.concat(parts))
}

async function metadataOf(path: string): Promise<string> {
  const { TensorFile } = await import('../../dist/io/tensor-file.js')
  const file = await TensorFile.open('test', path)
  await file.close()
  return file.metadata.get('ferrograd')!
}
