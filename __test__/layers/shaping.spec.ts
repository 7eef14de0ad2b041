// Layers that move numbers without changing them: flatten, reshape, zeroPadding2d, upSampling2d.
import test from 'ava'
import { backward, input, layers, model, ones, sequential, square, sum, tensor, zeros } from 'ferrograd'

test('flatten makes a row of each example', async (t) => {
  const x = tensor([
    [
      [1, 2],
      [3, 4],
    ],
    [
      [5, 6],
      [7, 8],
    ],
  ])
  const layer = layers.flatten()
  t.deepEqual(await layer.apply(x).array(), [
    [1, 2, 3, 4],
    [5, 6, 7, 8],
  ])
  t.deepEqual(layer.apply(zeros([0, 3, 2])).shape, [0, 6])
  t.deepEqual(layer.apply(zeros([4])).shape, [4, 1])
  t.deepEqual(layer.outputShape([null, 7, 7, 64]), [null, 3136])
  t.deepEqual(layer.outputShape([null, null, 7]), [null, null])
  t.throws(() => layers.flatten({ axis: 1 } as never), {
    message: 'flatten: there is no option axis (got 1). valid are name, trainable and inputShape',
  })
})

test('reshape keeps the batch', async (t) => {
  const layer = layers.reshape({ targetShape: [2, -1], name: 'r' })
  t.deepEqual(await layer.apply(tensor([[1, 2, 3, 4, 5, 6]])).array(), [
    [
      [1, 2, 3],
      [4, 5, 6],
    ],
  ])
  t.deepEqual(layer.apply(zeros([0, 8])).shape, [0, 2, 4])
  t.deepEqual(layer.outputShape([null, null]), [null, 2, null])
  t.deepEqual(layers.reshape({ targetShape: [] }).apply(ones([3, 1])).shape, [3])
  const cases: [() => unknown, string][] = [
    [
      () => layer.apply(zeros([1, 5])),
      'reshape "r": the 5 numbers of an example do not fill targetShape [2, -1]. input [1, 5]',
    ],
    [() => layers.reshape({ targetShape: [-1, -1] }), 'reshape: only one size of targetShape can be -1. got [-1, -1]'],
    [
      () => layers.reshape({ targetShape: [2.5] }),
      'reshape: every size of targetShape is a whole number from 0, or -1. got [2.5]',
    ],
    [
      () => layers.reshape({ targetShape: 4 as never }),
      'reshape: targetShape must be an array of sizes without the batch. got 4',
    ],
    [
      () => layers.reshape({ targetShape: [0, -1] }).apply(zeros([1, 5])),
      'reshape: the 5 numbers of an example do not fill targetShape [0, -1]. input [null, 5]',
    ],
  ]
  for (const [fn, message] of cases) t.throws(fn, { message })
})

test('zeroPadding2d puts zeros around images', async (t) => {
  const x = tensor([[[[1], [2]]]])
  const pixels = async (padding: Parameters<typeof layers.zeroPadding2d>[0]) => {
    const net = sequential({ inputShape: [1, 2, 1], layers: [layers.zeroPadding2d(padding)] })
    const y = net.forward(x)
    t.deepEqual([null, ...y.shape.slice(1)], net.outputShape)
    return ((await y.array()) as number[][][][])[0]!.map((row) => row.map(([pixel]) => pixel))
  }
  t.deepEqual(await pixels({}), [
    [0, 0, 0, 0],
    [0, 1, 2, 0],
    [0, 0, 0, 0],
  ])
  t.deepEqual(await pixels({ padding: [0, 1] }), [[0, 1, 2, 0]])
  t.deepEqual(
    await pixels({
      padding: [
        [1, 0],
        [0, 2],
      ],
    }),
    [
      [0, 0, 0, 0],
      [1, 2, 0, 0],
    ],
  )
  t.deepEqual(layers.zeroPadding2d().outputShape([null, null, 5, 3]), [null, null, 7, 3])
  t.throws(() => layers.zeroPadding2d({ padding: [1, 2, 3] as never }), {
    message:
      'zeroPadding2d: padding must be a number, [height, width] or [[top, bottom], [left, right]]. got [1, 2, 3]',
  })
  t.throws(() => layers.zeroPadding2d({ padding: -1 }), {
    message: 'zeroPadding2d: padding must be a whole number from 0. got -1',
  })
})

test('upSampling2d repeats rows and columns', async (t) => {
  const x = tensor([
    [
      [
        [1, -1],
        [2, -2],
      ],
      [
        [3, -3],
        [4, -4],
      ],
    ],
  ])
  const y = layers.upSampling2d({ size: [2, 3] }).apply(x)
  t.deepEqual(y.shape, [1, 4, 6, 2])
  const first = ((await y.array()) as number[][][][])[0]!.map((row) => row.map(([a]) => a))
  t.deepEqual(first, [
    [1, 1, 1, 2, 2, 2],
    [1, 1, 1, 2, 2, 2],
    [3, 3, 3, 4, 4, 4],
    [3, 3, 3, 4, 4, 4],
  ])
  t.deepEqual(layers.upSampling2d().outputShape([null, 3, null, 2]), [null, 6, null, 2])
  t.deepEqual(layers.upSampling2d().apply(zeros([0, 3, 3, 2])).shape, [0, 6, 6, 2])
  // The gradient of a pixel is the sum over its block.
  const image = input({ shape: [2, 2, 2] })
  const stem = layers.conv2d({ filters: 1, kernelSize: 1, kernelInitializer: 'ones' })
  const net = model({ inputs: image, outputs: layers.upSampling2d().apply(stem.apply(image)) })
  const gradient = backward(sum(square(net.forward(ones([1, 2, 2, 2]))))).get(net.weights[1]!)
  t.deepEqual(await gradient.array(), [2 * 2 * 16])
  t.throws(() => layers.upSampling2d({ size: 0 }), {
    message: 'upSampling2d: size must be a whole number from 1 to 2^31 - 1. got 0',
  })
})
