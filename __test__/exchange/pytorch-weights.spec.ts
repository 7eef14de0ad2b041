// PyTorch's own files are in fixtures/pytorch, with what the networks compute; fixtures/pytorch/write_weights.py does the
// same with torchvision's networks at full size.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import {
  input,
  Layer,
  layers,
  loadPyTorchWeights,
  loadTensors,
  type Model,
  memory,
  model,
  models,
  reshape,
  savePyTorchWeights,
  saveTensors,
  scope,
  sequential,
  type Tensor,
  tensor,
  transpose,
  zeros,
} from 'ferrograd'
import { temporaryFolder } from '../helpers/folder.js'
import { formulaImage, formulaTensor } from '../helpers/formula.js'
import { float32From, readFixture, worstDifference } from '../helpers/golden.js'

const fixtures = fileURLToPath(new URL('../../__test__/fixtures/pytorch/', import.meta.url))
const golden = JSON.parse(readFileSync(join(fixtures, 'small.json'), 'utf8')) as Record<string, number[][]>
const file = (name: string) => join(fixtures, `${name}.safetensors`)

/** The network Small of make_small.py: the image is flattened behind an inner model. */
function small(dtype: 'float32' | 'float64' = 'float32') {
  const norm = { momentum: 0.9, epsilon: 1e-5 }
  const x = input({ shape: [5, 6, 3], dtype })
  const body = sequential({
    name: 'body',
    dtype,
    inputShape: [5, 6, 3],
    layers: [
      layers.conv2d({ name: 'conv1', filters: 8, kernelSize: 3, padding: 1 }),
      layers.batchNorm({ name: 'bn1', ...norm }),
      layers.activation({ activation: 'relu' }),
      layers.depthwiseConv2d({ name: 'depthwise', kernelSize: 3, depthMultiplier: 2 }),
      layers.conv2d({ name: 'grouped', filters: 8, kernelSize: 1, groups: 2, useBias: false }),
      layers.convTranspose2d({ name: 'up', filters: 6, kernelSize: 3, strides: 2 }),
      layers.flatten(),
    ],
  })
  let y = layers.batchNorm({ name: 'bn2', ...norm }).apply(layers.dropout({ rate: 0.5 }).apply(body.apply(x)))
  y = layers.dense({ name: 'fc1', units: 10, activation: 'tanh' }).apply(y)
  y = layers.dense({ name: 'fc2', units: 4 }).apply(layers.layerNorm({ name: 'norm', epsilon: 1e-5 }).apply(y))
  return model({ inputs: x, outputs: y, name: 'small' })
}

async function same(t: ExecutionContext, net: Model, x: Tensor, expected: number[][], tolerance: number) {
  const y = scope(() => net.forward(x))
  const worst = worstDifference(await y.data(), expected.flat())
  t.true(worst <= tolerance, `off by ${worst} of the root mean square`)
}

test('every layer computes what PyTorch computes', async (t) => {
  const images = golden.images as unknown as number[][]
  for (const [dtype, tolerance] of [
    ['float32', 1e-5],
    ['float64', 1e-12],
  ] as const) {
    const net = small(dtype)
    await loadPyTorchWeights(net, file('small'))
    await same(t, net, tensor(images, { dtype }), golden.scores!, tolerance)
  }
  const words = sequential({
    inputShape: [3],
    layers: [
      layers.embedding({ name: 'table', inputDim: 7, outputDim: 5 }),
      layers.flatten(),
      layers.dense({ name: 'fc', units: 2 }),
    ],
  })
  await loadPyTorchWeights(words, file('words'))
  await same(t, words, tensor(golden.indices!, { dtype: 'int32' }), golden.words!, 1e-5)
})

test('what is saved is what PyTorch saved, to the last bit', async (t) => {
  const path = join(temporaryFolder(t), 'back.safetensors')
  const net = small()
  await loadPyTorchWeights(net, file('small'))
  await savePyTorchWeights(net, path)
  const [mine, theirs] = await Promise.all([loadTensors(path), loadTensors(file('small'))])
  const names = Object.keys(theirs).filter((name) => !name.endsWith('num_batches_tracked'))
  t.deepEqual(Object.keys(mine).sort(), names.sort())
  for (const name of names) {
    t.deepEqual(mine[name]!.shape, theirs[name]!.shape)
    t.deepEqual(await mine[name]!.data(), await theirs[name]!.data())
  }
  const header = readFileSync(path)
  t.deepEqual(JSON.parse(header.toString('utf8', 8, 8 + Number(header.readBigUInt64LE()))).__metadata__, {
    format: 'pt',
  })
})

test('names and skip say what belongs together', async (t) => {
  const path = join(temporaryFolder(t), 'named.safetensors')
  await saveTensors(path, {
    'net.a.weight': tensor([[1, 2]]),
    'net.a.bias': tensor([3]),
    'net.head.weight': tensor([[1], [2], [3]]),
    'net.head.bias': tensor([1, 2, 3]),
  })
  const net = () =>
    sequential({
      inputShape: [2],
      layers: [layers.dense({ units: 1 }), layers.dense({ name: 'head', units: 4, kernelInitializer: 'ones' })],
    })
  const names = { dense_1: 'net.a', head: 'net.head' }
  for (const given of [names, (layer: string) => names[layer as keyof typeof names]]) {
    const one = net()
    await loadPyTorchWeights(one, path, { names: given, skip: ['head'] })
    t.deepEqual(await one.forward(tensor([[1, 1]])).array(), [[6, 6, 6, 6]])
    await savePyTorchWeights(one, `${path}.2`, { names: { ...names, dense_1: '' } })
    t.deepEqual(Object.keys(await loadTensors(`${path}.2`)).sort(), [
      'bias',
      'net.head.bias',
      'net.head.weight',
      'weight',
    ])
  }
})

test('doubles become what the model is made of', async (t) => {
  const path = join(temporaryFolder(t), 'double.safetensors')
  await saveTensors(path, { 'fc.weight': tensor([[0.1]], { dtype: 'float64' }), 'fc.bias': tensor([1]) })
  const net = sequential({ inputShape: [1], layers: [layers.dense({ name: 'fc', units: 1 })] })
  await loadPyTorchWeights(net, path)
  t.deepEqual(await net.weights[0]!.array(), [[Math.fround(0.1)]])
})

/** torchvision's state_dict of a network whose weights are those of fixtures/goldens/architectures.py. */
class FormulaState {
  readonly tensors: Record<string, Tensor> = {}
  private k = 0

  add(name: string, shape: number[], limit: number, centre = 0, turn = (x: Tensor) => x): void {
    this.k++
    this.tensors[name] = scope(() => turn(formulaTensor(this.k, shape, limit, centre)))
  }

  conv(name: string, channels: number, filters: number, size: number, bias: boolean): void {
    const limit = Math.sqrt(6 / (size * size * channels))
    this.add(`${name}.weight`, [size, size, channels, filters], limit, 0, (x) => transpose(x, [3, 2, 0, 1]))
    if (bias) this.add(`${name}.bias`, [filters], 0.1)
  }

  norm(name: string, channels: number): void {
    this.add(`${name}.weight`, [channels], 0.5, 1)
    this.add(`${name}.bias`, [channels], 0.1)
    this.add(`${name}.running_mean`, [channels], 0.1)
    this.add(`${name}.running_var`, [channels], 0.5, 1)
    this.tensors[`${name}.num_batches_tracked`] = tensor(7, { dtype: 'int32' })
  }

  dense(name: string, inputs: number, units: number, turn = (x: Tensor) => transpose(x)): void {
    this.add(`${name}.weight`, [inputs, units], Math.sqrt(6 / inputs), 0, turn)
    this.add(`${name}.bias`, [units], 0.1)
  }

  async save(path: string): Promise<void> {
    await saveTensors(path, this.tensors)
    for (const tensor of Object.values(this.tensors)) tensor.dispose()
  }
}

async function checkLogits(t: ExecutionContext, name: string, net: Model) {
  const { logits } = readFixture<{ models: Record<string, { logits: string }> }>('architectures').models[name]!
  const y = scope(() => net.forward(formulaImage([1, 224, 224, 3])))
  const worst = worstDifference(await y.data(), float32From(logits))
  t.log(`${name}: off by ${worst.toExponential(1)} of the logits' root mean square`)
  t.true(worst <= 1e-4)
}

test.serial('VGG-16 loads by torchvision’s names and has the logits of PyTorch', async (t) => {
  const path = join(temporaryFolder(t), 'vgg16.safetensors')
  const state = new FormulaState()
  const places = [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28]
  const filters = [64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512]
  places.forEach((place, i) => {
    state.conv(`features.${place}`, filters[i - 1] ?? 3, filters[i]!, 3, true)
  })
  // Pixel by pixel into channel by channel.
  state.dense('classifier.0', 25088, 4096, (x) =>
    reshape(transpose(reshape(x, [7, 7, 512, 4096]), [3, 2, 0, 1]), [4096, 25088]),
  )
  state.dense('classifier.3', 4096, 4096)
  state.dense('classifier.6', 4096, 1000)
  await state.save(path)
  const net = models.vgg16({ inputShape: [224, 224, 3], classes: 1000 })
  await loadPyTorchWeights(net, path)
  await checkLogits(t, 'vgg16', net)
  net.dispose()
})

test.serial('ResNet-18 loads by torchvision’s names and has the logits of PyTorch', async (t) => {
  const path = join(temporaryFolder(t), 'resnet18.safetensors')
  const state = new FormulaState()
  const convNorm = (conv: string, norm: string, channels: number, filters: number, size: number) => {
    state.conv(conv, channels, filters, size, false)
    state.norm(norm, filters)
  }
  convNorm('conv1', 'bn1', 3, 64, 7)
  let channels = 64
  for (const [stage, filters] of [64, 128, 256, 512].entries()) {
    for (const block of [0, 1]) {
      const name = `layer${stage + 1}.${block}`
      convNorm(`${name}.conv1`, `${name}.bn1`, channels, filters, 3)
      convNorm(`${name}.conv2`, `${name}.bn2`, filters, filters, 3)
      if (channels !== filters) convNorm(`${name}.downsample.0`, `${name}.downsample.1`, channels, filters, 1)
      channels = filters
    }
  }
  state.dense('fc', 512, 1000)
  await state.save(path)
  const { tensors } = memory()
  const net = models.resNet18({ inputShape: [224, 224, 3], classes: 1000 })
  await loadPyTorchWeights(net, path)
  t.is(memory().tensors, tensors + net.weights.length)
  await checkLogits(t, 'resNet18', net)
  // For other classes.
  const other = models.resNet18({ inputShape: [64, 64, 3], classes: 3 })
  await loadPyTorchWeights(other, path, { skip: ['head'] })
  t.deepEqual(await other.weights[1]!.data(), await net.weights[1]!.data())
  const smallImages = models.resNet18({ inputShape: [32, 32, 3], classes: 1000, smallImages: true })
  await t.throwsAsync(loadPyTorchWeights(smallImages, path), {
    message: `loadPyTorchWeights ${JSON.stringify(path)}: the weights are not those of model. of another shape or kind: "conv1.weight" is [64, 3, 7, 7] and should be [64, 3, 3, 3] for layer "stem_conv". names and skip say what belongs together`,
    code: 'ERR_FORMAT',
  })
  await savePyTorchWeights(net, `${path}.back`)
  const [mine, theirs] = await Promise.all([loadTensors(`${path}.back`), loadTensors(path)])
  for (const [name, found] of Object.entries(mine)) {
    const [a, b] = (await Promise.all([found.data(), theirs[name]!.data()])).map(({ buffer }) => Buffer.from(buffer))
    t.is(Buffer.compare(a!, b!), 0, name)
  }
  t.is(Object.keys(mine).length, net.weights.length)
})

test('the other networks have torchvision’s names', async (t) => {
  const path = join(temporaryFolder(t), 'names.safetensors')
  const shapes = async (net: Model) => {
    await savePyTorchWeights(net, path)
    return new Map(Object.entries(await loadTensors(path)).map(([name, { shape }]) => [name, shape]))
  }
  const options = { inputShape: [32, 32, 3], classes: 5, units: 8 }
  const vgg11 = await shapes(models.vgg11(options))
  t.deepEqual(
    [...vgg11.keys()].filter((name) => name.endsWith('bias')).sort(),
    [0, 3, 6, 8, 11, 13, 16, 18]
      .map((place) => `features.${place}.bias`)
      .concat([0, 3, 6].map((place) => `classifier.${place}.bias`))
      .sort(),
  )
  const alexNet = await shapes(models.alexNet({ inputShape: [63, 63, 3], classes: 5, units: 8, columns: 1 }))
  t.deepEqual(
    [...alexNet]
      .filter(([name]) => name.endsWith('weight'))
      .sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true })),
    [
      ['classifier.1.weight', [8, 256]],
      ['classifier.4.weight', [8, 8]],
      ['classifier.6.weight', [5, 8]],
      ['features.0.weight', [64, 3, 11, 11]],
      ['features.3.weight', [192, 64, 5, 5]],
      ['features.6.weight', [384, 192, 3, 3]],
      ['features.8.weight', [256, 384, 3, 3]],
      ['features.10.weight', [256, 256, 3, 3]],
    ],
  )
  t.true((await shapes(models.vgg19(options))).has('features.34.weight'))
  const resNet = { inputShape: [32, 32, 3], classes: 5 }
  t.true((await shapes(models.resNet34(resNet))).has('layer3.5.bn2.running_var'))
  const resNet50 = await shapes(models.resNet50(resNet))
  t.deepEqual(resNet50.get('layer1.0.downsample.0.weight'), [256, 64, 1, 1])
  t.deepEqual(resNet50.get('layer4.2.conv3.weight'), [2048, 512, 1, 1])
  t.deepEqual(resNet50.get('fc.weight'), [5, 2048])
})

test('what does not belong together is listed, and nothing is loaded', async (t) => {
  const path = join(temporaryFolder(t), 'other.safetensors')
  await saveTensors(path, {
    'a.weight': tensor([[1, 2, 3]]),
    'b.weight': tensor([[1]], { dtype: 'int32' }),
    'c.weight': zeros([2, 2]),
    'c.num_batches_tracked': tensor(1),
  })
  const net = sequential({
    name: 'mine',
    inputShape: [2],
    layers: [
      layers.dense({ name: 'a', units: 1, useBias: false, kernelInitializer: 'zeros' }),
      layers.dense({ name: 'b', units: 1 }),
    ],
  })
  await t.throwsAsync(loadPyTorchWeights(net, path), {
    message: `loadPyTorchWeights ${JSON.stringify(path)}: the weights are not those of sequential "mine". the file does not have "b.bias" for layer "b". the model does not have "c.weight" [2, 2]. of another shape or kind: "a.weight" is [1, 3] and should be [1, 2] for layer "a", "b.weight" is int32 [1, 1] and should be [1, 1] for layer "b". names and skip say what belongs together`,
    code: 'ERR_FORMAT',
  })
  t.deepEqual(await net.weights[0]!.array(), [[0], [0]])
  const many = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`x${i}`, tensor(1)]))
  await saveTensors(path, { 'a.weight': zeros([1, 2]), 'b.weight': zeros([1, 1]), 'b.bias': zeros([1]), ...many })
  await t.throwsAsync(loadPyTorchWeights(net, path), { message: /"x19" \[\] and 10 more\. names and skip/ })
})

test('AlexNet of torchvision is another one', async (t) => {
  const path = join(temporaryFolder(t), 'alexnet.safetensors')
  await saveTensors(path, { 'features.0.weight': zeros([64, 3, 11, 11]), 'features.0.bias': zeros([64]) })
  await t.throwsAsync(loadPyTorchWeights(models.alexNet({ inputShape: [67, 67, 3], classes: 2, units: 4 }), path), {
    message:
      /"features.0.weight" is \[64, 3, 11, 11\] and should be \[96, 3, 11, 11\] for layer "conv2d_1", .*\. this is torchvision's AlexNet, with other numbers of filters\. make the model with columns: 1$/,
  })
})

test('layers that cannot be exchanged are errors', async (t) => {
  const path = join(temporaryFolder(t), 'any.safetensors')
  await saveTensors(path, { x: tensor(1) })
  const quoted = JSON.stringify(path)
  class Scale extends Layer {
    override build() {
      this.addWeight('factor', [1], 'ones')
    }
    override forward(x: Tensor) {
      return x
    }
  }
  await t.throwsAsync(
    savePyTorchWeights(sequential({ inputShape: [1], layers: [new Scale({ name: 'mine' })] }), path),
    {
      message: `savePyTorchWeights ${quoted}: scale "mine" has a weight "factor", and there is no such layer in PyTorch. weights are exchanged for conv2d, depthwiseConv2d, convTranspose2d, dense, embedding, layerNorm and batchNorm`,
    },
  )
  const mixed = sequential({
    inputShape: [1],
    layers: [new Scale({ name: 'mine' }), layers.dense({ name: 'fc', units: 1 })],
  })
  await saveTensors(`${path}.2`, { 'fc.weight': tensor([[5]]), 'fc.bias': tensor([0]), 'mine.factor': tensor([1]) })
  await loadPyTorchWeights(mixed, `${path}.2`, { skip: ['mine'] })
  t.is(await mixed.weights[1]!.item(), 5)
  const a = input({ shape: [2, 2, 3] })
  const flat = layers.flatten().apply(a)
  const both = layers.concatenate().apply([flat, layers.activation({ activation: 'relu' }).apply(flat)])
  const net = model({ inputs: a, outputs: layers.dense({ name: 'fc', units: 1 }).apply(both) })
  await t.throwsAsync(loadPyTorchWeights(net, path), {
    message: `loadPyTorchWeights ${quoted}: dense "fc" gets features of several images, which PyTorch joins in another order. put a layer with weights between flatten and concatenate, or join before flatten`,
  })
  const same = sequential({ inputShape: [1], layers: [layers.dense({ units: 1 }), layers.dense({ units: 1 })] })
  await t.throwsAsync(loadPyTorchWeights(same, path, { names: () => 'fc' }), {
    message: `loadPyTorchWeights ${quoted}: layers "dense_1" and "dense_2" have one name in PyTorch: "fc.weight". set names`,
  })
  await t.throwsAsync(loadPyTorchWeights(sequential({ layers: [layers.dense({ units: 1 })] }), path), {
    message: `loadPyTorchWeights ${quoted}: sequential has no weights yet: the shape of its input is unknown. give it inputShape`,
  })
})

test('arguments are checked', async (t) => {
  const net = sequential({ inputShape: [1], layers: [layers.dense({ units: 1 })] })
  const load = loadPyTorchWeights as (...values: unknown[]) => Promise<void>
  const cases: [unknown[], string][] = [
    [[{}, 'a'], 'loadPyTorchWeights: model must be a model. got an object'],
    [[net, ''], 'loadPyTorchWeights: path must be the name of a file, or a file: URL. got ""'],
    [[net, 'a', { skip: 'head' }], 'loadPyTorchWeights: skip must be an array of names of layers. got "head"'],
    [[net, 'a', { maxBytes: -1 }], 'loadPyTorchWeights: maxBytes must be 0 or more. got -1'],
    [[net, 'a', { skip: ['fc'] }], 'loadPyTorchWeights "a": skip has "fc", but the layers with weights are dense_1'],
    [[net, 'a', { names: 1 }], 'loadPyTorchWeights "a": names must be an object or a function. got 1'],
    [
      [net, 'a', { names: { fc: 'b' } }],
      'loadPyTorchWeights "a": names has "fc", but the layers with weights are dense_1',
    ],
    [
      [net, 'a', { names: { dense_1: 1 } }],
      'loadPyTorchWeights "a": the name for layer "dense_1" must be a string. got 1',
    ],
    [
      [net, 'a', { strict: true }],
      'loadPyTorchWeights: there is no option strict (got true). valid are names, skip and maxBytes',
    ],
    [
      [net, '/missing/a'],
      'loadPyTorchWeights "/missing/a": the file cannot be read. there is no such file or folder (ENOENT)',
    ],
  ]
  for (const [values, message] of cases) await t.throwsAsync(load(...values), { message })
})
