// Layers that look up or join: embedding, add, concatenate.
import test from 'ava'
import { backward, DTypeError, input, layers, model, ones, sequential, sum, tensor, zeros } from 'ferrograd'

const indices = (values: number[][]) => tensor(values, { dtype: 'int32' })

test('embedding looks up rows', async (t) => {
  const net = sequential({ layers: [layers.embedding({ inputDim: 4, outputDim: 2 }), layers.flatten()] })
  t.deepEqual(net.forward(indices([[0, 1, 3]])).shape, [1, 6])
  t.is(net.countParams(), 8)
  net.setWeights([
    [
      [0, 1],
      [10, 11],
      [20, 21],
      [30, 31],
    ],
  ])
  const y = net.forward(indices([[3, 0, 3]]))
  t.deepEqual(await y.array(), [[30, 31, 0, 1, 30, 31]])
  t.deepEqual(await backward(sum(y)).get(net.weights[0]!).array(), [
    [1, 1],
    [0, 0],
    [0, 0],
    [2, 2],
  ])
  const layer = net.layers[0]!
  t.deepEqual(layer.apply(zeros([5], { dtype: 'uint8' })).shape, [5, 2])
  t.throws(() => net.forward(ones([1, 3])), {
    instanceOf: DTypeError,
    message:
      'embedding "embedding_1": gather: indices has dtype float32, but indices are int32 or uint8. cast it first: cast(indices, { dtype: \'int32\' })',
  })
})

test('embedding in float64, with a regularizer and a constraint', async (t) => {
  const net = sequential({
    inputShape: [2],
    dtype: 'float64',
    layers: [
      layers.embedding({
        inputDim: 3,
        outputDim: 2,
        embeddingsInitializer: 'ones',
        embeddingsRegularizer: 'l2',
        embeddingsConstraint: 'maxNorm',
      }),
    ],
  })
  t.is(net.forward(indices([[1, 2]])).dtype, 'float64')
  t.true(Math.abs((await net.regularization()!.item()) - 0.06) < 1e-12)
  net.applyConstraints()
  t.deepEqual(await net.weights[0]!.array(), await ones([3, 2]).array())
  const cases: [() => unknown, string][] = [
    [() => layers.embedding({ inputDim: 0, outputDim: 1 }), 'embedding: inputDim must be a whole number from 1. got 0'],
    [() => layers.embedding({ inputDim: 1 } as never), 'embedding: outputDim must be a whole number. got undefined'],
  ]
  for (const [fn, message] of cases) t.throws(fn, { message })
})

test('add sums its inputs', async (t) => {
  const layer = layers.add()
  const [a, b, c] = [tensor([[1, 2]]), tensor([[10, 20]]), tensor([[100, 200]])]
  t.deepEqual(await layer.apply([a, b, c]).array(), [[111, 222]])
  t.deepEqual(
    layer.outputShape([
      [null, 4, null],
      [null, null, 3],
    ]),
    [null, 4, 3],
  )
  const cases: [() => unknown, string][] = [
    [() => layers.add().apply(a), 'add: joins at least two inputs. got one of shape [null, 2]. apply([a, b])'],
    [() => layers.add().apply([a]), 'add: joins at least two inputs. got one of shape [null, 2]. apply([a, b])'],
    [
      () => layers.add({ name: 'sum' }).apply([a, ones([1, 3])]),
      'add "sum": all inputs must have the same shape. got [null, 2], [null, 3]',
    ],
    [
      () => layers.add().apply([a, ones([1, 2, 1])]),
      'add: all inputs must have the same shape. got [null, 2], [null, 2, 1]',
    ],
  ]
  for (const [fn, message] of cases) t.throws(fn, { message })
})

test('concatenate puts its inputs one behind the other', async (t) => {
  const [a, b] = [tensor([[[1], [2]]]), tensor([[[3], [4]]])]
  t.deepEqual(await layers.concatenate().apply([a, b]).array(), [
    [
      [1, 3],
      [2, 4],
    ],
  ])
  t.deepEqual(await layers.concatenate({ axis: 1 }).apply([a, b]).array(), [[[1], [2], [3], [4]]])
  const [x, y] = [input({ shape: [4, 4, 1] }), input({ shape: [4, 4, 2] })]
  const net = model({ inputs: [x, y], outputs: layers.concatenate().apply([x, y]) })
  t.deepEqual(net.outputShape, [null, 4, 4, 3])
  t.deepEqual(
    layers.concatenate().outputShape([
      [null, 3],
      [null, null],
    ]),
    [null, null],
  )
  const cases: [() => unknown, string][] = [
    [() => layers.concatenate({ axis: 0 }), 'concatenate: axis must be a whole number other than 0, the batch. got 0'],
    [() => layers.concatenate({ axis: 'last' as never }), 'concatenate: axis must be a whole number. got "last"'],
    [
      () => layers.concatenate({ axis: 2 }).apply([zeros([1, 2]), zeros([1, 2])]),
      'concatenate: axis 2 does not exist, or is the batch. inputs [null, 2], [null, 2]',
    ],
    [
      () => layers.concatenate({ axis: -2 }).apply([zeros([1, 2]), zeros([1, 2])]),
      'concatenate: axis -2 does not exist, or is the batch. inputs [null, 2], [null, 2]',
    ],
    [
      () => layers.concatenate({ name: 'c' }).apply([x, input({ shape: [4, 5, 1] })]),
      'concatenate "c": only axis 3 of the inputs may differ. got [null, 4, 4, 1], [null, 4, 5, 1]',
    ],
  ]
  for (const [fn, message] of cases) t.throws(fn, { message })
})
