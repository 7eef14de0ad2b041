// Models and outputs of tf.js itself: see fixtures/tfjs/make-models.mjs.
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { type DType, loadModel, loadTfjsModel, type Model, memory, scope, type Tensor, tensor } from 'ferrograd'
import { temporaryFolder } from '../helpers/folder.js'
import { worstDifference } from '../helpers/golden.js'

const fixtures = fileURLToPath(new URL('../../__test__/fixtures/tfjs/', import.meta.url))

interface Values {
  shape: number[]
  dtype?: DType
  data: number[]
}
const golden = JSON.parse(readFileSync(join(fixtures, 'golden.json'), 'utf8')) as Record<
  string,
  { inputs: Values[]; outputs: Values[] }
>

async function check(t: ExecutionContext, name: string, net: Model): Promise<void> {
  const { inputs, outputs } = golden[name]!
  const x = inputs.map(({ shape, dtype = 'float32', data }) => tensor(Float64Array.from(data), { shape, dtype }))
  const y: unknown = scope(() => net.forward(x.length === 1 ? x[0]! : x))
  const found = (Array.isArray(y) ? y : [y]) as Tensor[]
  t.is(found.length, outputs.length)
  for (const [i, { shape, data }] of outputs.entries()) {
    t.deepEqual(found[i]!.shape, shape)
    const worst = worstDifference(await found[i]!.data(), data)
    t.log(`${name}: off by ${worst.toExponential(1)} of the root mean square`)
    t.true(worst <= 1e-5)
  }
}

for (const name of Object.keys(golden)) {
  test(`${name} computes what tf.js computes, and again when saved and loaded here`, async (t) => {
    const net = await loadTfjsModel(join(fixtures, name, 'model.json'))
    await check(t, name, net)
    const path = join(temporaryFolder(t), 'ours.safetensors')
    await net.save(path)
    await check(t, name, await loadModel(path))
  })
}

test('names, penalties and what is frozen stay', async (t) => {
  const net = await loadTfjsModel(join(fixtures, 'stack'))
  t.is(net.name, 'stack')
  t.deepEqual(
    net.layers.map(({ name }) => name),
    [
      'conv',
      'norm',
      'depthwise',
      'separable',
      'transposed',
      'max',
      'average',
      'border',
      'larger',
      'dilated',
      'whole',
      'flat',
      'drop',
      'hidden',
      'scores',
    ],
  )
  const kernel = (await net.getLayer('dilated').weights[0]!.data()) as Float32Array
  const penalty = await net.regularization()!.item()
  t.true(Math.abs(penalty - 0.01 * kernel.reduce((sum, value) => sum + value * value, 0)) < 1e-5)
  net.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
  const { inputs, outputs } = golden.stack!
  const { loss } = await net.trainOnBatch(
    tensor(inputs[0]!.data, { shape: inputs[0]!.shape }),
    tensor(outputs[0]!.data, { shape: outputs[0]!.shape }),
  )
  t.true(Number.isFinite(loss))
})

// biome-ignore lint/suspicious/noExplicitAny: files are changed at will
type Json = any

/** A copy of a fixture, changed; loads it. */
async function changed(t: ExecutionContext, name: string, change: (json: Json, folder: string) => unknown) {
  const folder = join(temporaryFolder(t), 'model')
  cpSync(join(fixtures, name), folder, { recursive: true })
  const json = JSON.parse(readFileSync(join(folder, 'model.json'), 'utf8'))
  const text = change(json, folder)
  writeFileSync(join(folder, 'model.json'), typeof text === 'string' ? text : JSON.stringify(json))
  return { folder, load: () => loadTfjsModel(folder) }
}

const layer = (json: Json, i: number): Json => (json.modelTopology.model_config ?? json.modelTopology).config.layers[i]
const set = (target: Json, values: object) => Object.assign(target, values)
const spec = (json: Json, i: number): Json => json.weightsManifest[0].weights[i]

test('what is not supported is an error that names the layer and the option', async (t) => {
  // biome-ignore format: a case in a line
  const cases: [string, (json: Json) => unknown, string][] = [
    ['plain', (json) => set(layer(json, 1).config, { data_format: 'channels_first' }), 'layer "conv" (Conv2D): data_format "channels_first" is not supported, only "channels_last"'],
    ['plain', (json) => set(layer(json, 1).config, { padding: 'causal' }), 'layer "conv" (Conv2D): padding "causal" is not supported, only "valid" or "same"'],
    ['plain', (json) => set(layer(json, 1).config, { activation: 'selu' }), `layer "conv" (Conv2D): activation "selu" is not supported, only 'linear', 'relu', 'elu', 'gelu', 'sigmoid', 'tanh', 'softplus', 'swish', 'silu', 'softmax', 'logSoftmax' or 'log_softmax'`],
    ['plain', (json) => set(layer(json, 1).config, { kernel_constraint: { class_name: 'MaxNorm', config: {} } }), 'layer "conv" (Conv2D): the option kernel_constraint an object is not supported'],
    ['plain', (json) => set(layer(json, 1).config, { kernel_regularizer: { class_name: 'Mine', config: {} } }), 'layer "conv" (Conv2D): kernel_regularizer of class "Mine" is not supported, only L1L2, L1 and L2'],
    ['plain', (json) => set(layer(json, 1).config, { dtype: 'float16' }), 'layer "conv" (Conv2D): dtype "float16" is not supported, only "float32"'],
    ['plain', (json) => set(layer(json, 3).config, { mystery: 1 }), 'layer "dense" (Dense): the option mystery 1 is not supported'],
    ['plain', (json) => set(layer(json, 3).config, { units: 2.5 }), 'layer "dense" (Dense): dense "dense": units must be a whole number from 1. got 2.5'],
    ['plain', (json) => set(layer(json, 3), { class_name: 'LSTM' }), 'layer "dense" is of class "LSTM", which is not supported. known are Dense, Conv2D, DepthwiseConv2D, SeparableConv2D, Conv2DTranspose, MaxPooling2D, AveragePooling2D, GlobalAveragePooling2D, GlobalMaxPooling2D, Flatten, Reshape, Activation, ReLU, LeakyReLU, ELU, Softmax, BatchNormalization, LayerNormalization, Dropout, ZeroPadding2D, UpSampling2D, Embedding, Add, Concatenate'],
    ['plain', (json) => set(layer(json, 3), { class_name: '__proto__' }), 'layer "dense" is of class "__proto__", which is not supported. known are Dense, Conv2D'],
    ['stack', (json) => set(layer(json, 1).config, { axis: 1 }), 'layer "norm" (BatchNormalization): axis 1 is not supported, only the last one, 3'],
    ['stack', (json) => set(layer(json, 1).config, { axis: [1, 2] }), 'layer "norm" (BatchNormalization): axis [1, 2] is not supported, only the last one'],
    ['stack', (json) => set(layer(json, 4).config, { dilation_rate: [2, 2] }), 'layer "transposed" (Conv2DTranspose): dilation_rate [2, 2] is not supported, only 1'],
    ['stack', (json) => set(layer(json, 8).config, { interpolation: 'bilinear' }), 'layer "larger" (UpSampling2D): interpolation "bilinear" is not supported, only "nearest"'],
    ['graph', (json) => set(layer(json, 3).config, { max_value: 6 }), 'layer "rectified" (ReLU): max_value 6 is not supported'],
    ['words', (json) => set(layer(json, 0).config, { mask_zero: true }), 'layer "table" (Embedding): mask_zero true is not supported, only false'],
  ]
  for (const [name, change, message] of cases) {
    const { folder, load } = await changed(t, name, change)
    const error = await t.throwsAsync(load(), { name: 'FormatError' })
    t.is(
      error!.message.slice(0, message.length + `loadTfjsModel ${JSON.stringify(folder)}: `.length),
      `loadTfjsModel ${JSON.stringify(folder)}: ${message}`,
    )
  }
})

test('files that make no sense are errors', async (t) => {
  const paths = (path: unknown) => (json: Json) => set(json.weightsManifest[0], { paths: [path] })
  const outside = (path: unknown) =>
    `paths of shards must be names of files in the folder of the model, or below it, without "..", drives and URLs. got ${JSON.stringify(path)}`
  const unsafe = [
    '../plain/group1-shard1.bin',
    '/etc/passwd',
    'a/../../b',
    'C:\\a',
    'a\\b',
    'https://a/b',
    '',
    '.',
    './a',
    'a//b',
    'a\0',
  ]
  // biome-ignore format: a case in a line
  const cases: [string, (json: Json, folder: string) => unknown, string][] = [
    ...unsafe.map((path): (typeof cases)[number] => ['plain', paths(path), outside(path)]),
    ['plain', paths('missing.bin'), 'the shard "missing.bin" cannot be read. there is no such file or folder (ENOENT)'],
    ['plain', (json, folder) => { mkdirSync(join(folder, 'dir')); paths('dir')(json) }, 'the shard "dir" is not a file'],
    ['plain', () => '{', "this is not JSON. Expected property name or '}' in JSON at position 1"],
    ['plain', () => '[]', 'the file must be an object. got []'],
    ['plain', (json) => set(json, { format: 'graph-model' }), "this is a graph model, made of TensorFlow's ops. convert the Keras model to a Layers model: --output_format tfjs_layers_model"],
    ['plain', (json) => set(json, { modelTopology: undefined }), 'modelTopology must be an object. got undefined'],
    ['plain', (json) => set(json, { weightsManifest: undefined }), 'weightsManifest must be an array. got undefined'],
    ['plain', (_, folder) => writeFileSync(join(folder, 'group1-shard1.bin'), new Uint8Array(7)), 'the shards ["group1-shard1.bin"] have 7 bytes, and the weights of their group take 604'],
    ['plain', (json) => set(spec(json, 0), { dtype: 'string' }), 'weight "conv/kernel" has dtype "string", and weights here are float32, int32, uint8, bool'],
    ['plain', (json) => set(spec(json, 0), { shape: [3, -1] }), 'a size in the shape of weight "conv/kernel" must be a whole number from 0. got -1'],
    ['plain', (json) => set(spec(json, 0), { shape: [2 ** 40, 2 ** 40] }), 'weight "conv/kernel" is too large: a tensor holds at most 2^40 elements. shape [1099511627776, 1099511627776]'],
    ['plain', (json) => set(spec(json, 1), { name: 'conv/kernel' }), 'the weight "conv/kernel" is listed twice'],
    ['plain', (json) => set(spec(json, 1), { name: 'other/bias' }), 'conv2d "conv": there is no weight "conv/bias" in the file'],
    ['plain', (json) => set(spec(json, 0), { shape: [3, 3, 4, 1] }), 'conv2d "conv": the weight "conv/kernel" has shape [3, 3, 4, 1] in the file, and should have [3, 3, 1, 4]'],
    ['plain', (json) => set(layer(json, 1).config, { use_bias: false }), 'the weight "conv/bias" belongs to no layer of the model'],
    ['plain', (json) => set(layer(json, 1).config, { filters: 2 ** 31 - 1 }), 'conv2d "conv": the weight "conv/kernel" has shape [3, 3, 1, 4] in the file, and should have [3, 3, 1, 2147483647]'],
    ['plain', (json) => set(layer(json, 1).config, { kernel_size: 9 }), 'model "plain" cannot be built. conv2d "conv": '],
    ['plain', (json) => set(layer(json, 0).config, { batch_input_shape: undefined }), 'model "plain" does not say the shape of its input. give its first layer inputShape'],
    ['plain', (json) => set(json.modelTopology!.model_config, { class_name: 'Mine' }), 'the model is of class "Mine", and known are Sequential, Model and Functional'],
    ['uint8', (json) => set(spec(json, 0).quantization!, { scale: 'a' }), 'the quantization of weight "conv/kernel" needs numbers scale and min. got "a" and'],
    ['uint8', (json) => set(spec(json, 0).quantization!, { dtype: 'uint4' }), 'weight "conv/kernel" is quantized from "float32" to "uint4". known are uint8 and uint16 for float32 and int32, and float16 for float32'],
    ['graph', (json) => set(layer(json, 2), { inbound_nodes: [[['sum', 0, 0, {}]]] }), 'layer "shared" waits for output 0 of call 0 of layer "leaky", which does not come'],
    ['graph', (json) => set(layer(json, 2), { inbound_nodes: [[['nobody', 0, 0, {}]]] }), 'layer "shared" waits for output 0 of call 0 of layer "leaky", which does not come'],
    ['graph', (json) => set(layer(json, 2), { inbound_nodes: [[['image', 0, 0, { mask: 1 }]]] }), 'the inbound_nodes of layer "leaky" pass mask 1, and calls have tensors alone here'],
    ['graph', (json) => set(layer(json, 2), { name: 'image' }), 'two layers are called "image"'],
    ['graph', (json) => set(json.modelTopology!.config, { output_layers: [['head', 3, 0]] }), 'there is no output 0 of call 3 of layer "head"'],
    ['graph', (json) => set(json.modelTopology!.config, { input_layers: [['image', 0, 0]] }), 'model "graph" cannot be built. model "graph": the outputs depend on'],
  ]
  for (const [name, change, message] of cases) {
    const { folder, load } = await changed(t, name, change)
    const error = await t.throwsAsync(load())
    const begin = `loadTfjsModel ${JSON.stringify(folder)}: ${message}`
    t.is(error!.message.slice(0, begin.length), begin)
  }
})

test('models deep inside each other are refused', async (t) => {
  const { load } = await changed(t, 'plain', (json) => {
    let inner: unknown = json.modelTopology.model_config
    for (let i = 0; i < 40; i++) inner = { class_name: 'Sequential', config: { name: `m${i}`, layers: [inner] } }
    json.modelTopology = inner
  })
  await t.throwsAsync(load(), { message: /: models are more than 32 deep inside each other$/ })
})

test('a frozen layer stays frozen', async (t) => {
  const { load } = await changed(t, 'plain', (json) => set(layer(json, 3).config, { trainable: false }))
  t.deepEqual(
    (await load()).trainableWeights.map(({ name }) => name),
    ['conv/kernel', 'conv/bias'],
  )
})

test('whatever a value is replaced with, the answer is a model or an error with a code', async (t) => {
  const odd = [null, -1, 0, 1.5, 2 ** 31, 1e308, '', '__proto__', 'name', [], [[]], {}, { class_name: 'Dense' }, true]
  let [seed, refused] = [1, 0]
  const random = (count: number) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
    return Math.floor((seed / 2 ** 32) * count)
  }
  for (const name of ['plain', 'graph', 'nested', 'uint8']) {
    const folder = join(temporaryFolder(t), 'model')
    cpSync(join(fixtures, name), folder, { recursive: true })
    const text = readFileSync(join(folder, 'model.json'), 'utf8')
    for (let i = 0; i < 120; i++) {
      const json: Json = JSON.parse(text)
      let at = json
      for (;;) {
        const keys = Object.keys(at)
        const key = keys[random(keys.length)]!
        const inner = at[key]
        if (typeof inner === 'object' && inner !== null && Object.keys(inner).length > 0 && random(12) > 0) {
          at = inner
          continue
        }
        at[key] = odd[random(odd.length)]
        break
      }
      writeFileSync(join(folder, 'model.json'), JSON.stringify(json))
      try {
        ;(await loadTfjsModel(folder)).dispose()
      } catch (error) {
        refused++
        if (!(error instanceof Error && 'code' in error && error.message.startsWith('loadTfjsModel'))) {
          t.fail(`${name}: ${JSON.stringify(json)} gave ${error instanceof Error ? error.stack : error}`)
          return
        }
      }
    }
  }
  t.true(refused > 100)
})

test('weights of optimizers are left out, and other spellings of names found', async (t) => {
  const { load } = await changed(t, 'plain', (json, folder) => {
    const group = json.weightsManifest[0]
    for (const one of group.weights)
      set(one, { name: one.name.replace('dense/', 'outer/dense/').replace('conv/kernel', 'conv/kernel_3') })
    group.weights.push({ name: 'adam/m', shape: [2], dtype: 'float32', group: 'optimizer' })
    writeFileSync(join(folder, 'more.bin'), new Float32Array(2))
    group.paths.push('more.bin')
  })
  await check(t, 'plain', await load())
})

test('topologies of Keras 3 are read', async (t) => {
  const { load } = await changed(t, 'nested', (json) => {
    const policy = { module: 'keras', class_name: 'DTypePolicy', config: { name: 'float32' } }
    const reference = ([name, node, output]: [string, number, number]) => ({
      class_name: '__keras_tensor__',
      config: { shape: [null, 3], dtype: 'float32', keras_history: [name, node, output] },
    })
    const { config } = json.modelTopology
    for (const item of config.layers) {
      const { batch_input_shape: shape, ...rest } = item.config as { batch_input_shape?: number[] }
      item.config =
        shape === undefined
          ? { ...rest, ...(item.class_name === 'Add' && { dtype: policy }) }
          : { ...rest, batch_shape: shape }
      item.inbound_nodes = (item.inbound_nodes as unknown as [string, number, number][][]).map((refs) => ({
        args: refs.length === 1 ? [reference(refs[0]!)] : [refs.map(reference)],
        kwargs: { training: null },
      }))
    }
    config.input_layers = ['input1', 0, 0]
    config.output_layers = ['total', 0, 0]
  })
  await check(t, 'nested', await load())
})

test.serial('an error leaves nothing in native memory', async (t) => {
  const { folder, load } = await changed(t, 'plain', (json) => set(layer(json, 3).config, { units: 4 }))
  const { tensors } = memory()
  await t.throwsAsync(load(), { message: /should have \[36, 4\]$/ })
  t.is(memory().tensors, tensors)
  rmSync(join(folder, 'group1-shard1.bin'))
  await t.throwsAsync(load(), { code: 'ENOENT' })
  t.is(memory().tensors, tensors)
})

test('arguments are checked', async (t) => {
  const load = loadTfjsModel as (...values: unknown[]) => Promise<unknown>
  const path = join(fixtures, 'plain')
  const quoted = JSON.stringify(path)
  const cases: [unknown[], string][] = [
    [[''], 'loadTfjsModel: path must be the name of a file, or a file: URL. got ""'],
    [[path, { strict: 1 }], 'loadTfjsModel: there is no option strict (got 1). valid are maxBytes'],
    [[path, { maxBytes: -1 }], 'loadTfjsModel: maxBytes must be 0 or more. got -1'],
    [[path, { maxBytes: 603 }], `loadTfjsModel ${quoted}: the weights have 604 bytes, more than maxBytes 603`],
    [['/missing'], 'loadTfjsModel "/missing": model.json cannot be read. there is no such file or folder (ENOENT)'],
  ]
  for (const [values, message] of cases) await t.throwsAsync(load(...values), { message })
})
