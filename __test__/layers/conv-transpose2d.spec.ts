import test from 'ava'
import { convTranspose2d, input, layers, relu, tensor, zeros } from 'ferrograd'

test('the layer is the op with weights of its own', async (t) => {
  const x = tensor(
    Float32Array.from({ length: 2 * 4 * 3 * 3 }, (_, i) => ((i * 7) % 11) - 5),
    { shape: [2, 4, 3, 3] },
  )
  for (const [options, op] of [
    [{}, {}],
    [
      { strides: 2, padding: 'same' },
      { stride: 2, padding: 'same' },
    ],
    [
      { strides: [2, 3], padding: 1 },
      { stride: [2, 3], padding: 1 },
    ],
    [
      {
        padding: [
          [0, 1],
          [2, 0],
        ],
      },
      {
        padding: [
          [0, 1],
          [2, 0],
        ],
      },
    ],
  ] as const) {
    const layer = layers.convTranspose2d({ filters: 2, kernelSize: [3, 4], activation: 'relu', ...options })
    const y = layer.apply(x)
    t.deepEqual(
      layer.weights.map((w) => w.shape),
      [[3, 4, 3, 2], [2]],
    )
    layer.setWeights([layer.weights[0]!, [1, -1]])
    const [kernel, bias] = layer.weights
    t.deepEqual(await layer.apply(x).array(), await relu(convTranspose2d(x, kernel!, { bias, ...op })).array())
    t.deepEqual(layer.outputShape([null, 4, 3, 3]), [null, ...y.shape.slice(1)])
  }
})

test('sizes of any input', (t) => {
  const layer = layers.convTranspose2d({ filters: 2, kernelSize: 3, strides: 2, padding: 'same' })
  t.deepEqual(layer.outputShape([null, null, 5, 3]), [null, null, 10, 2])
  t.deepEqual(layer.apply(zeros([0, 4, 4, 3])).shape, [0, 8, 8, 2])
  t.deepEqual(layer.apply(zeros([1, 2, 6, 3])).shape, [1, 4, 12, 2])
})

test('what cannot be is refused', (t) => {
  const cases: [() => unknown, string | RegExp][] = [
    [
      () => layers.convTranspose2d({ filters: 0, kernelSize: 3 }),
      'convTranspose2d: filters must be a whole number from 1. got 0',
    ],
    [
      () => layers.convTranspose2d({ filters: 1, kernelSize: 3, padding: 'SAME' as never, name: 'up' }),
      'convTranspose2d "up": padding must be \'valid\', \'same\', a number or [[top, bottom], [left, right]]. got "SAME"',
    ],
    [
      () => layers.convTranspose2d({ filters: 1, kernelSize: 3, strides: 0 }),
      'convTranspose2d: strides must be a whole number from 1 to 2^31 - 1. got 0',
    ],
    [
      () => layers.convTranspose2d({ filters: 1, kernelSize: 3, groups: 2 } as never),
      /^convTranspose2d: there is no option groups/,
    ],
    [
      () => layers.convTranspose2d({ filters: 1, kernelSize: 3 }).apply(input({ shape: [4, 4] })),
      'convTranspose2d: the input must have 4 axes (N, H, W, C). got [null, 4, 4]. reshape gives images a channel axis: [N, H, W, 1]',
    ],
    [
      () => layers.convTranspose2d({ filters: 1, kernelSize: 3, padding: 3, name: 'up' }).apply(zeros([1, 3, 9, 2])),
      'convTranspose2d "up": padding leaves nothing of the height. input [null, 3, 9, 2] (N, H, W, C). use less padding',
    ],
  ]
  for (const [fn, message] of cases) t.throws(fn, { message })
})
