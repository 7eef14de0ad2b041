// A convolution and the max-pool behind it run as one pass: the same numbers, less memory.
import test from 'ava'
import {
  backward,
  conv2d,
  gradCheck,
  input,
  type Layer,
  layers,
  maxPool2d,
  mean,
  memory,
  model,
  noGrad,
  randomNormal,
  type Sequential,
  ShapeError,
  scope,
  sequential,
  setSeed,
  setThreads,
  square,
  type Tensor,
} from 'ferrograd'
import { numbers, values } from '../helpers/values.js'

// How many bands there must be is a matter of the threads.
test.before(() => setThreads(2))
const batch = 64

/** The same pool, which nothing can be joined to because it has a `forward` of its own. */
function apart(pool: ReturnType<typeof layers.maxPool2d>, size: number | [number, number]): Layer {
  pool.forward = (x: Tensor) => maxPool2d(x, { size })
  return pool
}

type Conv = Partial<Parameters<typeof layers.conv2d>[0]>

interface Case {
  readonly name: string
  readonly inputShape: readonly [number, number, number]
  readonly conv: Conv
  readonly size?: number | [number, number]
}

const cases: readonly Case[] = [
  { name: 'direct', inputShape: [28, 28, 1], conv: { filters: 8, activation: 'relu' } },
  { name: 'Winograd', inputShape: [13, 14, 16], conv: { filters: 17, activation: 'relu' } },
  { name: 'thin', inputShape: [14, 14, 9], conv: { filters: 3, activation: 'relu' } },
  { name: 'linear', inputShape: [12, 12, 3], conv: { filters: 5 } },
  { name: 'without a bias', inputShape: [12, 12, 3], conv: { filters: 5, activation: 'relu', useBias: false } },
  { name: 'groups', inputShape: [12, 12, 4], conv: { filters: 20, groups: 2, activation: 'relu' } },
  { name: 'strides', inputShape: [25, 25, 3], conv: { filters: 5, strides: 2, activation: 'relu' } },
  { name: 'wide windows', inputShape: [20, 20, 3], conv: { filters: 6, activation: 'relu' }, size: [17, 16] },
]

const net = ({ inputShape, conv, size = 2 }: Case, joined: boolean): Sequential => {
  const pool = layers.maxPool2d({ poolSize: size })
  return sequential({
    inputShape,
    layers: [
      // So that the images have a gradient, too.
      layers.conv2d({ filters: inputShape[2], kernelSize: 1 }),
      layers.conv2d({ filters: 1, kernelSize: 3, padding: 'same', biasInitializer: 'randomNormal', ...conv }),
      joined ? pool : apart(pool, size),
    ],
  })
}

const bits = async (x: Tensor) => {
  const { buffer, byteOffset, byteLength } = await x.data()
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64')
}

/** What a training pass holds on to beside its result. */
function kept(net: Sequential, x: Tensor): number {
  const before = memory().bytes
  const y = net.forward(x, { training: true })
  const bytes = memory().bytes - before
  y.dispose()
  return bytes
}

for (const given of cases) {
  test(`${given.name}: outputs and gradients have the bits of two passes, and the map is not kept`, async (t) => {
    setSeed(1)
    const x = randomNormal([batch, ...given.inputShape])
    const [joined, two] = [net(given, true), net(given, false)]
    two.setWeights(joined.weights)
    const step = (model: Sequential) => scope(() => backward(mean(square(model.forward(x, { training: true })))))
    const [found, expected] = [step(joined), step(two)]
    for (const [i, weight] of joined.weights.entries()) {
      const [one, other] = [found.get(weight), expected.get(two.weights[i]!)]
      t.deepEqual(await bits(one), await bits(other), weight.name)
      t.true((await values(other)).some((value) => value !== 0))
    }
    // Packed weights from the second time on, and fresh ones after a change.
    for (let i = 0; i < 3; i++) {
      const [one, other] = noGrad(() => [joined.forward(x), two.forward(x)])
      t.deepEqual(await bits(one!), await bits(other!))
    }
    joined.setWeights(joined.getWeights().map((weight) => square(weight)))
    two.setWeights(joined.weights)
    const [one, other] = noGrad(() => [joined.forward(x), two.forward(x)])
    t.deepEqual(await bits(one!), await bits(other!))

    // Only a rectifier needs the map for its gradient.
    const map = layers.conv2d({ filters: 1, kernelSize: 3, padding: 'same', ...given.conv })
    const [, height, width, filters] = sequential({ inputShape: given.inputShape, layers: [map] }).outputShape!
    const size = batch * height! * width! * filters!
    const saved = kept(two, x) - kept(joined, x)
    const [least, most] = map.activation === 'relu' ? [4 * size, 6 * size] : [0, 0]
    t.true(saved >= least && saved <= most, `${saved} of ${4 * size} bytes`)
  })
}

test('frozen layers and images of which nobody asks the gradient', async (t) => {
  const given = cases[1]!
  const x = randomNormal([batch, ...given.inputShape])
  for (const frozen of [[0], [1], [0, 1]]) {
    const [joined, two] = [net(given, true), net(given, false)]
    two.setWeights(joined.weights)
    for (const net of [joined, two]) for (const i of frozen) net.layers[i]!.trainable = false
    if (frozen.length === 2) {
      t.deepEqual(await bits(joined.forward(x)), await bits(two.forward(x)))
      continue
    }
    const step = (model: Sequential) => backward(mean(square(model.forward(x, { training: true }))))
    const [found, expected] = [step(joined), step(two)]
    for (const [i, weight] of joined.weights.entries()) {
      t.is(found.has(weight), expected.has(two.weights[i]!))
      if (found.has(weight)) t.deepEqual(await bits(found.get(weight)), await bits(expected.get(two.weights[i]!)))
    }
  }
})

test('a map that somebody else reads is made', async (t) => {
  const images = input({ shape: [28, 28, 1] })
  const conv = layers.conv2d({ filters: 8, kernelSize: 3, activation: 'relu' })
  const map = conv.apply(images)
  const pooled = layers.maxPool2d().apply(map)
  const x = randomNormal([batch, 28, 28, 1])
  const [kernel, bias] = conv.weights
  const expected = conv2d(x, kernel!, { bias, activation: 'relu' })

  const both = model({ inputs: images, outputs: [map, pooled] })
  const [m, p] = noGrad(() => both.forward(x)) as [Tensor, Tensor]
  t.deepEqual(await bits(m), await bits(expected))
  t.deepEqual(await bits(p), await bits(maxPool2d(expected, { size: 2 })))

  const twice = model({ inputs: images, outputs: [pooled, layers.flatten().apply(map)] })
  const [q, flat] = noGrad(() => twice.forward(x)) as [Tensor, Tensor]
  t.deepEqual(await bits(q), await bits(p))
  t.deepEqual(await bits(flat), await bits(m))

  const alone = model({ inputs: images, outputs: pooled })
  t.deepEqual(await bits(noGrad(() => alone.forward(x))), await bits(p))
})

test('a convolution with a forward of its own is asked', async (t) => {
  const given = cases[0]!
  const x = randomNormal([batch, ...given.inputShape])
  const found = net(given, true)
  const before = await bits(noGrad(() => found.forward(x)))
  const conv = found.layers[1] as ReturnType<typeof layers.conv2d>
  let asked = 0
  const own = conv.forward.bind(conv)
  conv.forward = (x: Tensor) => {
    asked++
    return own(x)
  }
  t.deepEqual(await bits(noGrad(() => found.forward(x))), before)
  t.is(asked, 1)
})

test('windows that overlap, other activations and few images go in two passes', async (t) => {
  const x = randomNormal([batch, 15, 15, 2])
  for (const [conv, pool, images] of [
    [{ activation: 'relu' }, { poolSize: 3, strides: 2 }, x],
    [{ activation: 'tanh' }, { poolSize: 2 }, x],
    [{ activation: 'relu' }, { poolSize: 2, padding: 'same' }, x],
    [{ activation: 'relu' }, { poolSize: 2 }, randomNormal([1, 15, 15, 2])],
    [{ activation: 'relu' }, { poolSize: 2, dilationRate: 2 }, x],
  ] as const) {
    const first = layers.conv2d({ filters: 4, kernelSize: 3, ...conv })
    const second = layers.maxPool2d(pool)
    const found = sequential({ inputShape: [15, 15, 2], layers: [first, second] })
    const expected = second.apply(first.apply(images))
    t.deepEqual(await bits(found.forward(images)), await bits(expected))
  }
})

test('in float64 the gradients agree with differences', async (t) => {
  const found = sequential({
    inputShape: [6, 6, 2],
    dtype: 'float64',
    layers: [layers.conv2d({ filters: 3, kernelSize: 3, activation: 'relu' }), layers.maxPool2d()],
  })
  const x = numbers([40, 6, 6, 2])
  t.true((await gradCheck(() => found.forward(x), found.trainableWeights)).passed)
})

test('errors name the layer in which they are', (t) => {
  const net = sequential({
    inputShape: [null, null, 1],
    layers: [
      layers.conv2d({ filters: 4, kernelSize: 5, name: 'edges' }),
      layers.maxPool2d({ poolSize: 4, name: 'shrink' }),
    ],
  })
  t.deepEqual(net.forward(randomNormal([64, 12, 12, 1])).shape, [64, 2, 2, 4])
  t.throws(() => net.forward(randomNormal([64, 4, 9, 1])), {
    instanceOf: ShapeError,
    message:
      'conv2d "edges": a window of height 5 does not fit in an input of height 4, so nothing would come out. input [64, 4, 9, 1] (N, H, W, C), weight [5, 5, 1, 4] (kH, kW, C, O). use a smaller window, or padding of at least 1 on every side.',
  })
  t.throws(() => net.forward(randomNormal([64, 9, 7, 1])), {
    instanceOf: ShapeError,
    message:
      'maxPool2d "shrink": a window of width 4 does not fit in an input of width 3, so nothing would come out. input [64, 5, 3, 4] (N, H, W, C). use a smaller window, or padding of at least 1 on every side.',
  })
  const strict = sequential({
    inputShape: [null, null, 1],
    layers: [layers.conv2d({ filters: 4, kernelSize: 5 }), layers.maxPool2d({ poolSize: 4, strict: true })],
  })
  t.throws(() => strict.forward(randomNormal([64, 14, 12, 1])), {
    instanceOf: ShapeError,
    message:
      'maxPool2d "maxPool2d_1": a window of height 4 and stride 4 does not tile an input of height 10: (10 − 4) / 4 + 1 = 2.50. input [64, 10, 8, 4] (N, H, W, C). strides that fit: 1, 2, 3, 6.',
  })
})

test('weights that change between forward and backward are noticed', (t) => {
  const given = cases[0]!
  const found = net(given, true)
  const loss = mean(found.forward(randomNormal([batch, ...given.inputShape])))
  found.setWeights(found.getWeights())
  t.throws(() => backward(loss), {
    message:
      "backward: a variable that conv2d + relu + maxPool2d needs for its gradient was changed after the forward pass. call backward before the optimizer's step or assign",
  })
})

test('a summary says what is joined, and that the map is not kept', (t) => {
  const lines = (...pools: Layer[]) => {
    const found: string[] = []
    const conv = () => layers.conv2d({ filters: 64, kernelSize: 3, padding: 'same', activation: 'relu' })
    const all = pools.flatMap((pool) => [conv(), pool])
    sequential({ inputShape: [32, 32, 3], layers: all }).summary((line) => found.push(line), { explain: true })
    return found
  }
  const pool = () => layers.maxPool2d()
  t.deepEqual(lines(pool(), apart(pool(), 2)), [
    'sequential',
    '  layer (kind)             output shape        activations  parameters       FLOPs  algorithm',
    '  input                    [null, 32, 32, 3]         3,072',
    '  conv2d_1 (conv2d)        [null, 32, 32, 64]       65,536       1,792   3,670,016  direct / thin / direct',
    '  maxPool2d_1 (maxPool2d)  [null, 16, 16, 64]       16,384           0      65,536  joined',
    '  conv2d_2 (conv2d)        [null, 16, 16, 64]       16,384      36,928  18,907,136  winograd4',
    '  maxPool2d_2 (maxPool2d)  [null, 8, 8, 64]          4,096           0      16,384',
    'parameters: 38,720 (155 kB), 38,720 trainable, 0 frozen',
    'activations: 105,472 (422 kB, 844 kB with their gradients) for each example',
    'forward: 22,659,072 FLOPs for each example',
    'training memory: about 620 kB for weights, gradients and moments, and 360 kB for each example of a batch',
  ])
})
