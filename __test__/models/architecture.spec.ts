// A model as plain data and back: what a file holds of it beside the weights.
import test from 'ava'
import {
  FormatError,
  initializers,
  input,
  Layer,
  type LayerConfig,
  layers,
  type Model,
  model,
  models,
  mul,
  ones,
  regularizers,
  type Shape,
  sequential,
  sum,
  type Tensor,
  tensor,
  type Variable,
  zeros,
} from 'ferrograd'
import { withWeightsFrom } from '../../dist/layers/weight-source.js'
import { describeModel, modelFrom } from '../../dist/models/architecture.js'

interface ScaleConfig {
  by?: number
  name?: string
}

class Scale extends Layer {
  private readonly by: number
  private offset!: Variable
  constructor({ by = 2, ...options }: ScaleConfig = {}) {
    super(options)
    this.by = by
  }
  override config(): LayerConfig {
    return { ...super.config(), by: this.by }
  }
  override build(inputShape: Shape) {
    this.offset = this.addWeight('offset', [inputShape.at(-1)!], 'zeros')
  }
  override forward(x: Tensor) {
    return mul(x, mul(this.offset, tensor(this.by)))
  }
}

/** Through JSON and back, with the weights by name. */
function copyOf(original: Model<Tensor | Tensor[]>, own = {}) {
  const description: unknown = JSON.parse(JSON.stringify(describeModel(original)))
  const named = (original as unknown as { $namedWeights(): Map<string, Variable> }).$namedWeights()
  const taken: string[] = []
  const copy = withWeightsFrom(
    (path, shape) => {
      taken.push(path)
      const weight = named.get(path)
      if (weight === undefined || weight.shape.join() !== shape.join()) throw new FormatError(`no weight ${path}`)
      return weight
    },
    () => modelFrom(description, own),
  )
  return { copy, taken, named, description }
}

test('a row of every kind of layer', async (t) => {
  const net = sequential({
    name: 'row',
    inputShape: [12, 12, 2],
    layers: [
      layers.normalization({ mean: [1, 2], variance: 3 }),
      layers.zeroPadding2d({ padding: [1, 0] }),
      layers.conv2d({
        filters: 4,
        kernelSize: [3, 2],
        strides: 2,
        padding: 'same',
        activation: 'relu',
        kernelRegularizer: 'l2',
      }),
      layers.batchNorm({ momentum: 0.5, gammaInitializer: initializers.constant({ value: 2 }) }),
      layers.depthwiseConv2d({ kernelSize: 2, depthMultiplier: 2, useBias: false, trainable: false }),
      layers.separableConv2d({ filters: 3, kernelSize: 2, pointwiseRegularizer: regularizers.l1({ l1: 0.5 }) }),
      layers.leakyRelu({ alpha: 0.3 }),
      layers.upSampling2d({ size: [2, 1] }),
      layers.maxPool2d({
        poolSize: 2,
        padding: [
          [0, 1],
          [1, 0],
        ],
      }),
      layers.avgPool2d({ poolSize: [1, 2] }),
      layers.dropout({ rate: 0.5, seed: 3 }),
      layers.maxout({ filters: 2, kernelSize: 1, pieces: 3 }),
      layers.layerNorm({ epsilon: 0.1 }),
      layers.flatten(),
      layers.reshape({ targetShape: [-1, 2], name: 'pairs' }),
      layers.activation({ activation: 'tanh' }),
      layers.dense({ units: 3, kernelConstraint: 'maxNorm', kernelInitializer: { initialize: (s) => ones(s) } }),
    ],
  })
  const { copy, taken, named } = copyOf(net)
  t.deepEqual(taken, [...named.keys()])
  t.is(String(copy), 'sequential "row"')
  t.deepEqual(
    copy.layers.map(({ name, kind }) => [name, kind]),
    net.layers.map(({ name, kind }) => [name, kind]),
  )
  t.deepEqual(
    copy.weights.map((w) => [w.name, w.shape, w.trainable]),
    net.weights.map((w) => [w.name, w.shape, w.trainable]),
  )
  const x = tensor(
    Float32Array.from({ length: 2 * 12 * 12 * 2 }, (_, i) => Math.sin(i)),
    { shape: [2, 12, 12, 2] },
  )
  for (const training of [false, true]) {
    const y = (copy as Model).forward(x, { training })
    t.deepEqual(await y.array(), await net.forward(x, { training }).array())
  }
  t.is(await copy.regularization()!.item(), await net.regularization()!.item())
  t.deepEqual(describeModel(copy), describeModel(net))
})

test('a graph with shared layers, models inside, several inputs and outputs', async (t) => {
  const [a, b] = [input({ shape: [4], name: 'a' }), input({ shape: [4] })]
  const shared = sequential({ layers: [layers.dense({ units: 4 }), layers.dense({ units: 4, name: 'second' })] })
  const [u, v] = [shared.apply(a), shared.apply(b)]
  const inner = model({
    inputs: u,
    outputs: [layers.add().apply([u, u]), layers.concatenate({ axis: 1 }).apply([u, u])],
  })
  const [first, second] = inner.apply(v)
  const net = model({
    inputs: [a, b],
    outputs: [first!, layers.dense({ units: 2 }).apply(second!), layers.add().apply([u, v])],
  })
  const { copy, taken, named } = copyOf(net)
  t.deepEqual([...taken].sort(), [...named.keys()].sort())
  const x = [
    ones([3, 4]),
    tensor(
      Float32Array.from({ length: 12 }, (_, i) => i),
      { shape: [3, 4] },
    ),
  ]
  const [expected, found] = [net.forward(x), copy.forward(x) as Tensor[]]
  t.is(found.length, 3)
  for (const [i, y] of expected.entries()) t.deepEqual(await found[i]!.array(), await y.array())
  t.deepEqual(describeModel(copy), describeModel(net))
})

test('ready-made models and float64', async (t) => {
  const net = models.resNet18({ inputShape: [8, 8, 1], classes: 2, smallImages: true, dtype: 'float64', name: 'r' })
  const { copy } = copyOf(net)
  const x = ones([1, 8, 8, 1], { dtype: 'float64' })
  t.deepEqual(await (copy as Model).forward(x).array(), await net.forward(x).array())
  t.is(copy.dtype, 'float64')
})

test('embeddings and layers of one’s own', async (t) => {
  const net = sequential({
    layers: [layers.embedding({ inputDim: 3, outputDim: 2 }), layers.flatten(), new Scale({ by: 3 })],
  })
  const x = tensor([[0, 2]], { dtype: 'int32' })
  net.forward(x)
  net.setWeights([zeros([3, 2]), [1, 1, 1, 1]].map((w, i) => (i === 0 ? ones([3, 2]) : w)))
  const { copy, description } = copyOf(net, { scale: (config: LayerConfig) => new Scale(config as ScaleConfig) })
  t.deepEqual(await (copy as Model).forward(x).array(), [[3, 3, 3, 3]])
  t.throws(() => modelFrom(description), {
    instanceOf: FormatError,
    message:
      /^the architecture in the file cannot be: a layer of kind "scale"\. pass a function that makes it: \{ layers: \{ scale: /,
  })
})

test('what a file cannot hold is said when saving', (t) => {
  t.throws(() => describeModel(sequential({ layers: [layers.dense({ units: 1 })] })), {
    message:
      "sequential: saving needs the weights, which do not exist before the input's shape is known. give inputShape, or call it on data first",
  })
  const net = sequential({
    inputShape: [1],
    layers: [layers.dense({ units: 1, name: 'd', kernelRegularizer: { penalty: (w) => sum(w) } })],
  })
  t.throws(() => describeModel(net), {
    message:
      'dense "d": kernelRegularizer is an object of your own, which a file cannot hold. give it a kind, or leave it out',
  })
})

test('a description from a file is not trusted', (t) => {
  const good = JSON.stringify(describeModel(models.twoLayerNet({ inputShape: [2], classes: 2, units: 2 })))
  const x = input({ shape: [2] })
  const graph = JSON.stringify(describeModel(model({ inputs: x, outputs: layers.dense({ units: 1 }).apply(x) })))
  const changed = (json: string, path: (string | number)[], value: unknown) => {
    const description = JSON.parse(json)
    const parent = path.slice(0, -1).reduce((at, key) => at[key], description)
    parent[path.at(-1)!] = value
    return description
  }
  t.notThrows(() => modelFrom(JSON.parse(good)))
  t.notThrows(() => modelFrom(JSON.parse(graph)))
  let nested = JSON.parse(good)
  for (let i = 0; i < 40; i++) nested = { ...JSON.parse(good), layers: [nested] }
  const cases: [unknown, RegExp][] = [
    [null, /a model: got null/],
    [[], /a model: got \[\]/],
    [changed(good, ['kind'], 'tree'), /a model of kind "tree"/],
    [changed(good, ['dtype'], 'int8'), /dtype must be 'float32' or 'float64'/],
    [changed(good, ['name'], 3), /the name 3/],
    [changed(good, ['inputs'], []), /a sequential model with 0 inputs/],
    [changed(good, ['inputs', 0, 'shape'], [null, -1]), /every size/],
    [changed(good, ['inputs', 0, 'shape'], 'x'), /an input/],
    [changed(good, ['layers'], {}), /layers: got an object/],
    [changed(good, ['layers', 0], 1), /a layer: got 1/],
    [changed(good, ['layers', 1, 'kind'], 'constructor'), /a layer of kind "constructor"/],
    [changed(good, ['layers', 1, 'kind'], '__proto__'), /a layer of kind "__proto__"/],
    [changed(good, ['layers', 1, 'kind'], 7), /a layer of kind 7/],
    [changed(good, ['layers', 1, 'config'], 7), /the options of a layer: got 7/],
    [changed(good, ['layers', 1, 'config', 'units'], -1), /units must be a whole number from 1/],
    [changed(good, ['layers', 1, 'config', 'unit'], 1), /there is no option unit/],
    [changed(good, ['layers', 1, 'config', 'kernelInitializer'], { kind: 'toString' }), /kernelInitializer must be/],
    [changed(good, ['layers', 2, 'config', 'name'], 'flatten_1'), /two layers are called "flatten_1"/],
    [changed(graph, ['calls', 0, 'layer'], 5), /layer 5/],
    [changed(graph, ['calls', 0, 'layer'], -1), /the number -1/],
    [changed(graph, ['calls', 0, 'inputs'], [3]), /tensor 3/],
    [changed(graph, ['calls', 0, 'inputs'], [1]), /tensor 1/],
    [changed(graph, ['calls', 0, 'inputs'], []), /tensor 0/],
    [changed(graph, ['calls', 0, 'outputs'], [9]), /tensor 9/],
    [changed(graph, ['calls', 0, 'outputs'], [1, 2]), /2 outputs of dense/],
    [changed(graph, ['calls'], 3), /calls: got 3/],
    [changed(graph, ['outputs'], []), /0 outputs/],
    [changed(graph, ['outputs'], [0.5]), /the number 0\.5/],
    [nested, /models more than 32 deep/],
  ]
  for (const [description, message] of cases) {
    const error = t.throws(() => modelFrom(description), { message }, JSON.stringify(description).slice(0, 200))
    t.true(error instanceof FormatError, String(error))
  }
})
