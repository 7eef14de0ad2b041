// Layers with statistics: batchNorm, layerNorm, normalization.
import test from 'ava'
import {
  backward,
  batchNorm,
  conv2d,
  gradCheck,
  layerNorm,
  layers,
  matmul,
  noGrad,
  ones,
  sequential,
  square,
  sum,
  tensor,
  zeros,
} from 'ferrograd'
import { readFixture } from '../helpers/golden.js'
import { assertNear, numbers, values } from '../helpers/values.js'

const x = tensor([
  [1, 10],
  [3, 30],
])
const round = (values: unknown): unknown =>
  Array.isArray(values) ? values.map(round) : Math.round((values as number) * 1e5) / 1e5

test('batchNorm uses the batch while training, and moves the running statistics', async (t) => {
  const layer = layers.batchNorm({ momentum: 0.9, epsilon: 1e-9 })
  t.deepEqual(round(await layer.apply(x, { training: true }).array()), [
    [-1, -1],
    [1, 1],
  ])
  const [gamma, beta, mean, variance] = layer.weights
  t.deepEqual(await gamma!.array(), [1, 1])
  t.deepEqual(await beta!.array(), [0, 0])
  // running ← 0.9 · running + 0.1 · batch, the variance the population's.
  t.deepEqual(round(await mean!.array()), [0.2, 2])
  t.deepEqual(round(await variance!.array()), [1, 10.9])
  layer.apply(x, { training: true })
  t.deepEqual(round(await mean!.array()), [0.38, 3.8])
  t.deepEqual(round(await variance!.array()), [1, 19.81])
  // Otherwise the running statistics are used, and stay.
  const y = layer.apply(x)
  t.deepEqual(await y.array(), await batchNorm(x, { mean, variance, epsilon: 1e-9 }).array())
  t.deepEqual(round(await mean!.array()), [0.38, 3.8])
})

test('batchNorm with Keras’ defaults', async (t) => {
  const layer = layers.batchNorm()
  t.deepEqual(await layer.apply(x, { training: true }).array(), await batchNorm(x, { epsilon: 1e-3 }).array())
  t.deepEqual(round(await layer.weights[2]!.array()), [0.02, 0.2])
  t.deepEqual(round(await layer.weights[3]!.array()), [1, 1.99])
})

test('batchNorm in a model: weights, gradients, freezing', async (t) => {
  const net = sequential({
    inputShape: [5, 5, 3],
    layers: [layers.conv2d({ filters: 4, kernelSize: 3, useBias: false }), layers.batchNorm({ name: 'bn' })],
  })
  t.is(net.countParams(), 108 + 16)
  t.deepEqual(
    net.weights.map((w) => w.name),
    ['conv2d_1/kernel', 'bn/gamma', 'bn/beta', 'bn/mean', 'bn/variance'],
  )
  t.is(net.trainableWeights.length, 3)
  const data = tensor(
    Float32Array.from({ length: 150 }, (_, i) => Math.sin(i)),
    { shape: [2, 5, 5, 3] },
  )
  const gradients = backward(sum(square(net.forward(data, { training: true }))))
  for (const w of net.trainableWeights) t.deepEqual(gradients.get(w).shape, w.shape)
  t.false(gradients.has(net.weights[3]!))

  const running = await net.weights[3]!.array()
  t.notDeepEqual(running, [0, 0, 0, 0])
  net.forward(data)
  t.deepEqual(await net.weights[3]!.array(), running)
  const still = await net.forward(data).array()
  // A frozen layer is a fixed function, also in training.
  net.getLayer('bn').trainable = false
  t.deepEqual(await net.forward(data, { training: true }).array(), still)
  t.deepEqual(await net.weights[3]!.array(), running)
  t.is(net.trainableWeights.length, 1)
  t.true(backward(sum(square(net.forward(data, { training: true })))).has(net.weights[0]!))
  net.getLayer('bn').trainable = true
  t.is(net.trainableWeights.length, 3)
  noGrad(() => net.forward(data, { training: true }))
  t.notDeepEqual(await net.weights[3]!.array(), running)
})

interface RunningCase {
  shape: number[]
  batches: number[][]
  gamma: number[]
  beta: number[]
  mean: number[]
  variance: number[]
  trained: number[]
  inferred: number[]
}

test('running statistics are PyTorch’s but for the factor n / (n − 1) of the variance, and the course’s from 0', async (t) => {
  for (const golden of readFixture<{ cases: RunningCase[] }>('batch-norm-running').cases) {
    const { shape, batches, gamma, beta } = golden
    const channels = shape.at(-1)!
    const n = batches[0]!.length / channels
    const at = (i: number) => tensor(batches[i]!, { shape, dtype: 'float64' })
    const make = (options: Parameters<typeof layers.batchNorm>[0]) => {
      const layer = layers.batchNorm({ momentum: 0.9, epsilon: 1e-5, ...options })
      const net = sequential({ inputShape: shape.slice(1), dtype: 'float64', layers: [layer] })
      const [, , mean, variance] = net.getWeights()
      net.setWeights([gamma, beta, mean!, variance!])
      let y = zeros([1])
      for (let i = 0; i < batches.length; i++) y = net.forward(at(i), { training: true })
      return { net, y }
    }
    const { net, y } = make({})
    assertNear(t, await values(y), golden.trained, 1e-12, 'training')
    const [mean, variance] = [await values(net.weights[2]!), await values(net.weights[3]!)]
    assertNear(t, mean, golden.mean, 1e-12, 'mean')
    // What three steps leave of the initial 1 is the same in both.
    const start = 0.9 ** 3
    const sample = variance.map((v) => start + ((v - start) * n) / (n - 1))
    assertNear(t, sample, golden.variance, 1e-12, 'variance')
    // With PyTorch's statistics the layer is PyTorch's in inference.
    net.setWeights([gamma, beta, golden.mean, golden.variance])
    assertNear(t, await values(net.forward(at(0))), golden.inferred, 1e-12, 'inference')
    const course = make({ movingVarianceInitializer: 'zeros' })
    assertNear(t, await values(course.net.weights[2]!), mean, 1e-12)
    assertNear(
      t,
      await values(course.net.weights[3]!),
      variance.map((v) => v - start),
      1e-12,
    )
  }
})

test('batchNorm behind dense and convolutional layers: training, inference, gradients', async (t) => {
  const image = numbers([3, 4, 4, 2], 1)
  const rows = numbers([5, 4], 2)
  for (const [layer, x] of [
    [layers.conv2d({ filters: 3, kernelSize: 3, useBias: false }), image],
    [layers.dense({ units: 3, useBias: false }), rows],
  ] as const) {
    const net = sequential({
      inputShape: x.shape.slice(1),
      dtype: 'float64',
      layers: [layer, layers.batchNorm({ momentum: 0.5 }), layers.activation({ activation: 'tanh' })],
    })
    const [kernel, gamma, beta, mean, variance] = net.weights
    gamma!.assign(numbers([3], 3))
    beta!.assign(numbers([3], 4))
    const linear = layer.kind === 'dense' ? matmul(x, kernel!) : conv2d(x, kernel!)
    const tanh = async (y: typeof x) => (await values(y)).map(Math.tanh)
    const training = await values(net.forward(x, { training: true }))
    assertNear(t, training, await tanh(batchNorm(linear, { gamma, beta })), 1e-12, `${layer.kind}, training`)
    const inference = await values(net.forward(x))
    const fixed = await tanh(batchNorm(linear, { gamma, beta, mean, variance }))
    assertNear(t, inference, fixed, 1e-12, `${layer.kind}, inference`)
    t.notDeepEqual(training, inference)
    for (const mode of [true, false]) {
      const result = await gradCheck(() => net.forward(x, { training: mode }), [kernel!, gamma!, beta!])
      t.true(result.passed, `${layer.kind}, training ${mode}\n${result}`)
    }
  }
})

test('batchNorm without factor or offset', async (t) => {
  const layer = layers.batchNorm({ scale: false, center: false, epsilon: 1e-9 })
  t.deepEqual(round(await layer.apply(x, { training: true }).array()), [
    [-1, -1],
    [1, 1],
  ])
  t.deepEqual(
    layer.weights.map((w) => w.name),
    ['batchNorm/mean', 'batchNorm/variance'],
  )
  const scaled = layers.batchNorm({
    center: false,
    gammaInitializer: { initialize: (s) => tensor([2, 3], { shape: s }) },
    epsilon: 1e-9,
  })
  t.deepEqual(round(await scaled.apply(x, { training: true }).array()), [
    [-2, -3],
    [2, 3],
  ])
  const penalised = layers.batchNorm({ gammaRegularizer: 'l2' })
  penalised.apply(x)
  t.true(Math.abs((await penalised.regularization()!.item()) - 0.02) < 1e-7)
})

test('batchNorm serves images of several sizes, and an empty batch', (t) => {
  const layer = layers.batchNorm()
  t.deepEqual(layer.apply(ones([2, 4, 4, 3])).shape, [2, 4, 4, 3])
  t.deepEqual(layer.apply(ones([2, 9, 5, 3]), { training: true }).shape, [2, 9, 5, 3])
  t.deepEqual(layer.apply(zeros([0, 4, 4, 3])).shape, [0, 4, 4, 3])
  t.throws(() => layer.apply(zeros([0, 4, 4, 3]), { training: true }), {
    message: 'batchNorm: an empty batch has no mean. input [0, 4, 4, 3]',
  })
})

test('layerNorm normalises each example', async (t) => {
  const layer = layers.layerNorm()
  t.deepEqual(await layer.apply(x).array(), await layerNorm(x).array())
  t.is(layer.countParams(), 4)
  layer.setWeights([
    [2, 2],
    [1, 1],
  ])
  t.deepEqual(
    round(await layer.apply(tensor([[1, 3]])).array()),
    round([[1 - 2 / Math.sqrt(1.001), 1 + 2 / Math.sqrt(1.001)]]),
  )
  t.is(layers.layerNorm({ scale: false, center: false }).apply(ones([2, 3])).size, 6)
})

test('normalization takes its statistics from data or from options', async (t) => {
  const layer = layers.normalization()
  layer.adapt(x)
  t.deepEqual(await layer.apply(x).array(), [
    [-1, -1],
    [1, 1],
  ])
  t.is(layer.trainableWeights.length, 0)
  const given = layers.normalization({ mean: [2, 20], variance: [1, 100] })
  t.deepEqual(await given.apply(x).array(), await layer.apply(x).array())
  const pixels = tensor(new Uint8Array([0, 255]), { shape: [2, 1] })
  const images = sequential({ inputShape: [1], layers: [layers.normalization({ mean: 0.5, variance: 0.25 })] })
  t.deepEqual(await images.forward(pixels).array(), [[-1], [1]])
  const bytes = layers.normalization()
  bytes.adapt(pixels)
  t.deepEqual(await bytes.apply(pixels).array(), [[-1], [1]])
  // A constant feature stays finite.
  const constant = layers.normalization()
  constant.adapt(ones([3, 1]))
  t.deepEqual(await constant.apply(ones([1, 1])).array(), [[0]])
})

test('what cannot be is refused', (t) => {
  const cases: [() => unknown, string][] = [
    [() => layers.batchNorm({ momentum: 1.1 }), 'batchNorm: momentum must be from 0 to 1. got 1.1'],
    [() => layers.batchNorm({ momentum: -0.1 }), 'batchNorm: momentum must be 0 or more. got -0.1'],
    [() => layers.batchNorm({ epsilon: 0, name: 'bn' }), 'batchNorm "bn": epsilon must be above 0. got 0'],
    [() => layers.batchNorm({ scale: 1 as never }), 'batchNorm: scale must be true or false. got 1'],
    [
      () => layers.batchNorm({ gammaInitializer: 'one' as never }).apply(x),
      "batchNorm: gammaInitializer must be 'constant', 'glorotNormal', 'glorotUniform', 'heNormal', 'heUniform', 'identity', 'lecunNormal', 'ones', 'orthogonal', 'randomNormal', 'randomUniform', 'truncatedNormal', 'varianceScaling', 'xavier' or 'zeros', or an object with initialize(shape, dtype). got \"one\"",
    ],
    [() => layers.batchNorm().apply(ones([3])), 'batchNorm: the input must have a batch and channels. got [null]'],
    [() => layers.layerNorm({ epsilon: -1 }), 'layerNorm: epsilon must be above 0. got -1'],
    [() => layers.normalization({ mean: 1 }), 'normalization: mean and variance belong together. got only mean'],
    [() => layers.normalization({ mean: 1, variance: -1 }), 'normalization: variance must be 0 or more. got -1'],
    [
      () => layers.normalization({ mean: [1, 2, 3], variance: 1 }).apply(x),
      'normalization: mean must have one number for each of 2 features. got 3',
    ],
    [() => layers.normalization().adapt(zeros([0, 2])), 'normalization: adapt needs data. got shape [0, 2]'],
  ]
  for (const [fn, message] of cases) t.throws(fn, { message })
})
