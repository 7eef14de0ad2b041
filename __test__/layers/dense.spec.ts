import test from 'ava'
import { layers, ones, ShapeError, sequential, softmax, tensor, zeros } from 'ferrograd'

test('y = activation(x · kernel + bias)', async (t) => {
  const x = tensor([
    [1, 2],
    [-3, 1],
  ])
  const layer = layers.dense({ units: 3 })
  layer.apply(x)
  layer.setWeights([
    [
      [1, 0, 2],
      [0, 1, -1],
    ],
    [0.5, -1, 0],
  ])
  t.deepEqual(await layer.apply(x).array(), [
    [1.5, 1, 0],
    [-2.5, 0, -7],
  ])
  const rectified = layers.dense({ units: 3, activation: 'relu' })
  rectified.apply(x)
  rectified.setWeights(layer.getWeights())
  t.deepEqual(await rectified.apply(x).array(), [
    [1.5, 1, 0],
    [0, 0, 0],
  ])
  const probable = layers.dense({ units: 3, activation: 'softmax' })
  probable.apply(x)
  probable.setWeights(layer.getWeights())
  t.deepEqual(await probable.apply(x).array(), await softmax(layer.apply(x)).array())
})

test('parameters, shapes and initial values', async (t) => {
  const net = sequential({ inputShape: [784], layers: [layers.dense({ units: 10 })] })
  t.is(net.countParams(), 7850)
  t.deepEqual(net.outputShape, [null, 10])
  t.deepEqual([...(await net.weights[1]!.data())], Array(10).fill(0))
  const limit = Math.sqrt(6 / 794)
  const kernel = await net.weights[0]!.data()
  t.true(kernel.every((w) => Math.abs(w) <= limit) && kernel.some((w) => w > 0.9 * limit))
  const bare = layers.dense({ units: 3, useBias: false, kernelInitializer: 'ones' })
  t.deepEqual(await bare.apply(ones([1, 2])).array(), [[2, 2, 2]])
  t.is(bare.countParams(), 6)
})

test('axes before the last are kept', (t) => {
  t.deepEqual(layers.dense({ units: 4 }).apply(zeros([2, 5, 3])).shape, [2, 5, 4])
  t.deepEqual(sequential({ inputShape: [5, 3], layers: [layers.dense({ units: 4 })] }).outputShape, [null, 5, 4])
  t.deepEqual(layers.dense({ units: 4 }).apply(zeros([2, 0])).shape, [2, 4])
})

test('every activation by name', async (t) => {
  const names = [
    'linear',
    'relu',
    'leakyRelu',
    'elu',
    'gelu',
    'sigmoid',
    'tanh',
    'softplus',
    'swish',
    'softmax',
    'logSoftmax',
  ] as const
  const x = tensor([[-1, 0.5, 2]])
  for (const activation of names) {
    const layer = layers.dense({ units: 3, activation, kernelInitializer: 'identity' })
    const alone = layers.activation({ activation })
    t.deepEqual(await layer.apply(x).array(), await alone.apply(x).array(), activation)
  }
})

test('what cannot be is refused', (t) => {
  const cases: [() => unknown, string][] = [
    [() => layers.dense({} as never), 'dense: units must be a whole number. got undefined'],
    [() => layers.dense({ units: 0 }), 'dense: units must be a whole number from 1. got 0'],
    [() => layers.dense({ units: 1.5, name: 'd' }), 'dense "d": units must be a whole number from 1. got 1.5'],
    [() => layers.dense({ units: 2 ** 53 }), 'dense: units must be a whole number from 1. got 9007199254740992'],
    [() => layers.dense({ units: Number.NaN }), 'dense: units must be a whole number from 1. got NaN'],
    [() => layers.dense(10 as never), 'dense: expects an options object. got 10'],
    [
      () => layers.dense({ units: 1, activation: 'ReLU' as never }),
      "dense: activation must be 'linear', 'relu', 'leakyRelu', 'elu', 'gelu', 'sigmoid', 'tanh', 'softplus', 'swish', 'softmax' or 'logSoftmax'. got \"ReLU\"",
    ],
    [() => layers.dense({ units: 1, useBias: 0 as never }), 'dense: useBias must be true or false. got 0'],
    [
      () => layers.dense({ unit: 1 } as never),
      'dense: there is no option unit (got 1). valid are units, name, trainable, inputShape, activation, useBias, kernelInitializer, biasInitializer, kernelRegularizer, biasRegularizer, kernelConstraint and biasConstraint',
    ],
    [
      () => layers.dense({ units: 2 }).apply(zeros([3])),
      'dense: the input must have a batch and features. got [null]. reshape(x, [1, -1]) makes one example a batch',
    ],
  ]
  for (const [fn, message] of cases) t.throws(fn, { message })
  t.throws(() => layers.dense({ units: 2 }).apply(zeros([3])), { instanceOf: ShapeError })
})

test('initializers by name, by options and as an object of one’s own', async (t) => {
  const first = async (kernelInitializer: NonNullable<Parameters<typeof layers.dense>[0]['kernelInitializer']>) => {
    const layer = layers.dense({ units: 2, kernelInitializer })
    layer.apply(zeros([1, 2]))
    return layer.weights[0]!.array()
  }
  t.deepEqual(await first('identity'), [
    [1, 0],
    [0, 1],
  ])
  t.deepEqual(await first({ kind: 'constant', value: 3 } as never), [
    [3, 3],
    [3, 3],
  ])
  t.deepEqual(await first({ initialize: (shape) => ones(shape) }), [
    [1, 1],
    [1, 1],
  ])
  t.throws(() => layers.dense({ units: 1, kernelInitializer: { kind: 'constant' } as never }), {
    message: 'initializers.constant: value must be a number. got undefined',
  })
})
