import test from 'ava'
import { layers, leakyRelu, maxout, ones, sequential, tensor, zeros } from 'ferrograd'

test('activation is a layer without weights', async (t) => {
  const net = sequential({ inputShape: [3], layers: [layers.activation({ activation: 'relu' })] })
  t.deepEqual(await net.forward(tensor([[-1, 0, 2]])).array(), [[0, 0, 2]])
  t.is(net.countParams(), 0)
  t.deepEqual(net.outputShape, [null, 3])
  t.throws(() => layers.activation({} as never), {
    message: /^activation: activation must be 'linear', .* got undefined$/,
  })
})

test('leakyRelu has a slope below zero', async (t) => {
  t.deepEqual(
    await layers
      .leakyRelu({ alpha: 0.5 })
      .apply(tensor([-2, 4]))
      .array(),
    [-1, 4],
  )
  const x = tensor([-1, 1])
  t.deepEqual(await layers.leakyRelu().apply(x).array(), await leakyRelu(x).array())
  t.throws(() => layers.leakyRelu({ alpha: Number.NaN }), { message: 'leakyRelu: alpha must be finite. got NaN' })
})

test('maxout is the largest of several linear functions', async (t) => {
  const x = tensor([[1, -2]])
  const layer = layers.maxout({ units: 2, pieces: 2 })
  t.deepEqual(layer.apply(x).shape, [1, 2])
  layer.setWeights([
    [
      [1, 2, 3, 4],
      [0, 1, 2, 3],
    ],
    [0, 0, 0, 10],
  ])
  // Linear: 1, 0, -1, 8; side by side make one.
  t.deepEqual(await layer.apply(x).array(), [[1, 8]])
  t.is(layer.countParams(), 12)
  t.deepEqual(layer.outputShape([null, 2]), [null, 2])
})

test('maxout of convolutions', async (t) => {
  const x = tensor(
    Float32Array.from({ length: 32 }, (_, i) => (i * 5) % 7),
    { shape: [1, 4, 4, 2] },
  )
  const layer = layers.maxout({ filters: 3, kernelSize: 3, pieces: 2, padding: 'same', biasInitializer: 'ones' })
  const plain = layers.conv2d({ filters: 6, kernelSize: 3, padding: 'same' })
  const y = layer.apply(x)
  plain.apply(x)
  plain.setWeights(layer.getWeights())
  t.deepEqual(await y.array(), await maxout(plain.apply(x), { pieces: 2 }).array())
  t.deepEqual(layer.outputShape([null, 4, 4, 2]), [null, 4, 4, 3])
  t.deepEqual(layer.apply(ones([2, 6, 5, 2])).shape, [2, 6, 5, 3])
  const cases: [() => unknown, string | RegExp][] = [
    [() => layers.maxout({ units: 2, pieces: 1 }), 'maxout: pieces must be 2 or more. got 1'],
    [() => layers.maxout({ units: 2 } as never), 'maxout: pieces must be a whole number. got undefined'],
    [() => layers.maxout({ units: 0, pieces: 2 }), 'maxout: units must be a whole number from 1. got 0'],
    [() => layers.maxout({ pieces: 2 } as never), 'maxout: units must be a whole number. got undefined'],
    [
      () => layers.maxout({ units: 2, pieces: 2, activation: 'relu' } as never),
      /^maxout: there is no option activation/,
    ],
    [
      () => layers.maxout({ units: 2, pieces: 2, name: 'm' }).apply(zeros([3])),
      'maxout "m": dense "linear": the input must have a batch and features. got [null]. reshape(x, [1, -1]) makes one example a batch',
    ],
  ]
  for (const [fn, message] of cases) t.throws(fn, { message })
})
