// Every activation as an op, as a layer, and as an option of dense and convolutional layers; maxout of k pieces.
import test from 'ava'
import {
  backward,
  elu,
  gelu,
  gradCheck,
  layers,
  leakyRelu,
  logSoftmax,
  relu,
  sequential,
  sigmoid,
  softmax,
  softplus,
  sum,
  swish,
  type Tensor,
  tanh,
  tensor,
  variable,
} from 'ferrograd'
import { assertNear, numbers, values } from '../helpers/values.js'

const ops = { elu, gelu, leakyRelu, logSoftmax, relu, sigmoid, softmax, softplus, swish, tanh }
const names = Object.keys(ops) as (keyof typeof ops)[]
const dtype = 'float64'

for (const name of names) {
  const op: (x: Tensor) => Tensor = ops[name]

  test(`${name} is the same function as op, layer and option`, async (t) => {
    const x = numbers([3, 4], 1)
    const alone = sequential({ inputShape: [4], dtype, layers: [layers.activation({ activation: name })] })
    t.deepEqual(await values(alone.forward(x)), await values(op(x)))
    const images = numbers([2, 5, 4, 2], 2)
    for (const [layer, plain, input] of [
      [layers.dense({ units: 5, activation: name }), layers.dense({ units: 5 }), x],
      [
        layers.conv2d({ filters: 3, kernelSize: 3, activation: name }),
        layers.conv2d({ filters: 3, kernelSize: 3 }),
        images,
      ],
    ] as const) {
      const activated = sequential({ inputShape: input.shape.slice(1), dtype, layers: [layer] })
      const bare = sequential({ inputShape: input.shape.slice(1), dtype, layers: [plain] })
      bare.setWeights(activated.getWeights())
      const [got, want] = [await values(activated.forward(input)), await values(op(bare.forward(input)))]
      assertNear(t, got, want, 1e-15, layer.kind)
    }
  })

  test(`layers with ${name} learn`, async (t) => {
    const net = sequential({
      inputShape: [4, 4, 2],
      dtype,
      layers: [
        layers.conv2d({ filters: 3, kernelSize: 3, activation: name, kernelInitializer: { initialize: init(1) } }),
        layers.flatten(),
        layers.dense({ units: 4, activation: name, kernelInitializer: { initialize: init(2) } }),
      ],
    })
    const x = numbers([2, 4, 4, 2], 3)
    const result = await gradCheck(() => net.forward(x, { training: true }), net.trainableWeights)
    t.is(result.inputs.length, 4)
    t.true(result.passed, String(result))
  })
}

/** Weights that are the same in every run, so that no unit happens to stand on a kink. */
function init(seed: number): (shape: readonly number[]) => Tensor {
  return (shape) => numbers(shape, seed)
}

test('there is no name that is not tested', (t) => {
  const { message } = t.throws(() => layers.activation({ activation: '' as never }))!
  const known = [...message.matchAll(/'(\w+)'/g)].map((match) => match[1]!)
  t.deepEqual(known.sort(), ['linear', ...names].sort())
})

test('leakyRelu as a layer learns with its own slope', async (t) => {
  const net = sequential({
    inputShape: [3],
    dtype,
    layers: [
      layers.dense({ units: 4, kernelInitializer: { initialize: init(1) } }),
      layers.leakyRelu({ alpha: 0.2 }),
      layers.dense({ units: 2, kernelInitializer: { initialize: init(2) } }),
    ],
  })
  const x = numbers([3, 3], 4)
  const hidden = layers.dense({ units: 4 })
  const first = sequential({ inputShape: [3], dtype, layers: [hidden] })
  first.setWeights(net.getWeights().slice(0, 2))
  const before = await values(first.forward(x))
  t.true(before.some((v) => v < 0) && before.some((v) => v > 0))
  const after = await values(layers.leakyRelu({ alpha: 0.2 }).apply(first.forward(x)))
  assertNear(
    t,
    after,
    before.map((v) => (v > 0 ? v : 0.2 * v)),
    1e-15,
  )
  t.true((await gradCheck(() => net.forward(x), net.trainableWeights)).passed)
})

for (const pieces of [2, 3, 5]) {
  test(`maxout of ${pieces} pieces, dense and convolutional: the maximum, gradients and parameters`, async (t) => {
    const x = numbers([2, 3], 1)
    const image = numbers([1, 5, 4, 2], 2)
    const kernelInitializer = { initialize: init(3) }
    const window = { kernelSize: 3, strides: 2, padding: 1 }
    for (const [layer, linear, input, inputs] of [
      [layers.maxout({ units: 2, pieces, kernelInitializer }), layers.dense({ units: 2 * pieces }), x, 3],
      [
        layers.maxout({ filters: 2, ...window, pieces, kernelInitializer }),
        layers.conv2d({ filters: 2 * pieces, ...window }),
        image,
        18,
      ],
    ] as const) {
      const net = sequential({ inputShape: input.shape.slice(1), dtype, layers: [layer] })
      t.is(net.countParams(), (inputs + 1) * 2 * pieces)
      const plain = sequential({ inputShape: input.shape.slice(1), dtype, layers: [linear] })
      plain.setWeights(net.getWeights())
      const all = await values(plain.forward(input))
      const largest = Array.from({ length: all.length / pieces }, (_, i) =>
        Math.max(...all.slice(i * pieces, (i + 1) * pieces)),
      )
      t.deepEqual(await values(net.forward(input)), largest)
      const result = await gradCheck(() => net.forward(input), net.trainableWeights)
      t.true(result.passed, String(result))
    }
  })
}

test('saturation: where sigmoid and tanh stop learning, and relu is dead, leakyRelu and elu still do', async (t) => {
  const slope = async (op: (x: Tensor) => Tensor, at: number) => {
    const x = variable(tensor([at], { dtype }))
    return backward(sum(op(x)))
      .get(x)
      .item()
  }
  t.true((await slope(sigmoid, 10)) < 1e-4)
  t.is(await slope(sigmoid, 0), 0.25)
  t.true((await slope(tanh, -10)) < 1e-7)
  t.is(await slope(tanh, 0), 1)
  t.is(await slope(relu, -3), 0)
  t.is(await slope(leakyRelu, -3), 0.2)
  t.true(Math.abs((await slope(elu, -3)) - Math.exp(-3)) < 1e-12)
})
