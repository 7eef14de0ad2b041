import test from 'ava'
import { avgPool2d, input, layers, maxPool2d, sequential, tensor, zeros } from 'ferrograd'

const x = tensor(
  Float32Array.from({ length: 2 * 6 * 5 * 2 }, (_, i) => (i * 7) % 23),
  { shape: [2, 6, 5, 2] },
)

test('the layers are the ops', async (t) => {
  t.deepEqual(await layers.maxPool2d().apply(x).array(), await maxPool2d(x, { size: 2 }).array())
  t.deepEqual(await layers.avgPool2d().apply(x).array(), await avgPool2d(x, { size: 2 }).array())
  t.deepEqual(
    await layers
      .maxPool2d({ poolSize: [3, 2], strides: [1, 2], padding: 'same', dilationRate: [2, 1] })
      .apply(x)
      .array(),
    await maxPool2d(x, { size: [3, 2], stride: [1, 2], padding: 'same', dilation: [2, 1] }).array(),
  )
  t.deepEqual(
    await layers.avgPool2d({ poolSize: 3, strides: 2, padding: 1 }).apply(x).array(),
    await avgPool2d(x, { size: 3, stride: 2, padding: 1 }).array(),
  )
})

test('global pools return one number for each channel', async (t) => {
  const image = tensor([
    [
      [
        [1, -1],
        [2, -2],
      ],
      [
        [3, -3],
        [6, -6],
      ],
    ],
  ])
  t.deepEqual(await layers.globalAvgPool2d().apply(image).array(), [[3, -3]])
  t.deepEqual(await layers.globalMaxPool2d().apply(image).array(), [[6, -1]])
  t.deepEqual(layers.globalAvgPool2d().outputShape([null, null, null, 7]), [null, 7])
  t.deepEqual(layers.globalMaxPool2d().apply(zeros([0, 3, 3, 2])).shape, [0, 2])
})

test('shapes are known without data', (t) => {
  const shape = (options: Parameters<typeof layers.maxPool2d>[0], size = 7) =>
    layers.maxPool2d(options).apply(input({ shape: [size, size, 3] })).shape
  t.deepEqual(shape({}), [null, 3, 3, 3])
  t.deepEqual(shape({ padding: 'same' }), [null, 4, 4, 3])
  t.deepEqual(shape({ poolSize: 3, strides: 2 }), [null, 3, 3, 3])
  t.deepEqual(shape({ poolSize: 3, strides: 2 }, 55), [null, 27, 27, 3])
  t.deepEqual(layers.avgPool2d().outputShape([null, null, 8, 1]), [null, null, 4, 1])
})

test('what cannot be is refused', (t) => {
  const pool =
    (options: Parameters<typeof layers.maxPool2d>[0], shape = [7, 7, 3]) =>
    () =>
      sequential({ inputShape: shape, layers: [layers.maxPool2d({ name: 'pool', ...options })] })
  const cases: [() => unknown, string | RegExp][] = [
    [
      pool({ strides: 2, strict: true }),
      'maxPool2d "pool": a window of height 2 and stride 2 does not tile an input of height 7: (7 − 2) / 2 + 1 = 3.50. input [null, 7, 7, 3] (N, H, W, C). strides that fit: 1, 5.',
    ],
    [
      () =>
        sequential({ inputShape: [9, 8, 3], layers: [layers.avgPool2d({ poolSize: 3, strides: 2, strict: true })] }),
      'avgPool2d "avgPool2d_1": a window of width 3 and stride 2 does not tile an input of width 8: (8 − 3) / 2 + 1 = 3.50. input [null, 9, 8, 3] (N, H, W, C). strides that fit: 1, 5.',
    ],
    [
      pool({ poolSize: 3, strides: 2, padding: 1, strict: true }, [8, 7, 3]),
      'maxPool2d "pool": a window of height 3 and stride 2 does not tile an input of height 10 (with padding): (10 − 3) / 2 + 1 = 4.50. input [null, 8, 7, 3] (N, H, W, C). strides that fit: 1, 7.',
    ],
    [
      () => layers.avgPool2d({ strict: 'yes' as never, name: 'p' }),
      'avgPool2d "p": strict must be true or false. got "yes"',
    ],
    [
      pool({ poolSize: 8 }),
      'maxPool2d "pool": a window of height 8 does not fit in an input of height 7, so nothing would come out. input [null, 7, 7, 3] (N, H, W, C). use a smaller window, or padding of at least 1 on every side.',
    ],
    [pool({ poolSize: 0 }), 'maxPool2d "pool": poolSize must be a whole number from 1 to 2^31 - 1. got 0'],
    [
      pool({}, [7, 7]),
      'maxPool2d "pool": the input must have 4 axes (N, H, W, C). got [null, 7, 7]. pooling is for images',
    ],
    [
      () => layers.avgPool2d({ dilationRate: 2 } as never),
      'avgPool2d: there is no option dilationRate (got 2). valid are name, trainable, inputShape, poolSize, strides, padding and strict',
    ],
    [() => layers.maxPool2d({ size: 2 } as never), /^maxPool2d: there is no option size/],
    [
      () => layers.globalAvgPool2d().apply(zeros([2, 3])),
      'globalAvgPool2d: the input must have 4 axes (N, H, W, C). got [null, 3]. pooling is for images',
    ],
    [
      () => layers.maxPool2d({ poolSize: 1, padding: 1, name: 'pool' }).apply(x),
      /^maxPool2d "pool": window 0 of \d along the height stands on padding alone/,
    ],
  ]
  for (const [fn, message] of cases) t.throws(fn, { message })
})
