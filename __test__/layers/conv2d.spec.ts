import test from 'ava'
import { conv2d, input, type Layer, layers, ones, relu, ShapeError, sequential, tensor, zeros } from 'ferrograd'

const image = (shape: number[]) =>
  tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => ((i * 7) % 11) - 5),
    { shape },
  )

test('the layer is the op with weights of its own', async (t) => {
  const x = image([2, 7, 6, 4])
  for (const [options, op] of [
    [{}, {}],
    [
      { strides: 2, padding: 'same' as const },
      { stride: 2, padding: 'same' as const },
    ],
    [
      { strides: [2, 1] as const, padding: 1 },
      { stride: [2, 1] as const, padding: 1 },
    ],
    [
      { dilationRate: 2, groups: 2 },
      { dilation: 2, groups: 2 },
    ],
    [
      {
        padding: [
          [0, 2],
          [1, 0],
        ] as const,
      },
      {
        padding: [
          [0, 2],
          [1, 0],
        ] as const,
      },
    ],
  ] as const) {
    const layer = layers.conv2d({
      filters: 6,
      kernelSize: [3, 2],
      biasInitializer: 'ones',
      activation: 'relu',
      ...options,
    })
    const y = layer.apply(x)
    const [kernel, bias] = layer.weights
    t.deepEqual(await y.array(), await relu(conv2d(x, kernel!, { bias, ...op })).array())
    t.deepEqual(layer.outputShape([null, 7, 6, 4]), [null, ...y.shape.slice(1)])
  }
})

test('known numbers of parameters', (t) => {
  const count = (inputShape: number[], options: Parameters<typeof layers.conv2d>[0]) =>
    sequential({ inputShape, layers: [layers.conv2d(options)] }).countParams()
  // The lecture's example, and the first layers of LeNet-5, AlexNet and VGG-16.
  t.is(count([32, 32, 3], { filters: 10, kernelSize: 5, padding: 2 }), 760)
  t.is(count([32, 32, 1], { filters: 6, kernelSize: 5 }), 156)
  t.is(count([227, 227, 3], { filters: 96, kernelSize: 11, strides: 4 }), 34_944)
  t.is(count([8, 8, 3], { filters: 64, kernelSize: 3, padding: 'same' }), 1792)
  t.is(count([8, 8, 96], { filters: 256, kernelSize: 5, groups: 2, useBias: false }), 307_200)
})

test('shapes of the lecture', (t) => {
  const shape = (size: number, options: Parameters<typeof layers.conv2d>[0]) =>
    layers.conv2d(options).apply(input({ shape: [size, size, 3] })).shape
  t.deepEqual(shape(227, { filters: 96, kernelSize: 11, strides: 4 }), [null, 55, 55, 96])
  t.deepEqual(shape(32, { filters: 10, kernelSize: 5, padding: 2 }), [null, 32, 32, 10])
  t.deepEqual(shape(7, { filters: 1, kernelSize: 3, strides: 2, strict: true }), [null, 3, 3, 1])
  t.deepEqual(shape(7, { filters: 1, kernelSize: 3, strides: 3 }), [null, 2, 2, 1])
  t.deepEqual(shape(7, { filters: 1, kernelSize: 3, strides: 3, padding: 'same', strict: true }), [null, 3, 3, 1])
})

test('one layer may look at images of several sizes', (t) => {
  const layer = layers.conv2d({ filters: 2, kernelSize: 3 })
  t.deepEqual(layer.apply(zeros([1, 5, 5, 3])).shape, [1, 3, 3, 2])
  t.deepEqual(layer.apply(zeros([1, 9, 4, 3])).shape, [1, 7, 2, 2])
  t.throws(() => layer.apply(zeros([1, 5, 5, 1])), {
    instanceOf: ShapeError,
    message:
      'conv2d: its weights were made for inputs of shape [null, 5, 5, 3] and do not fit [null, 5, 5, 1]. make a second layer',
  })
})

test('what cannot be is refused', (t) => {
  const stem = { filters: 4, kernelSize: 3, name: 'stem' }
  const on = (shape: (number | null)[], options: Parameters<typeof layers.conv2d>[0]) => () =>
    layers.conv2d(options).apply(input({ shape }))
  const cases: [() => unknown, string | RegExp][] = [
    [() => layers.conv2d({ ...stem, filters: -1 }), 'conv2d "stem": filters must be a whole number from 1. got -1'],
    [() => layers.conv2d({ filters: 1 } as never), 'conv2d: kernelSize must be a whole number from 1. got undefined'],
    [
      () => layers.conv2d({ ...stem, kernelSize: [3, 3, 3] as never }),
      'conv2d "stem": kernelSize must be a number or [height, width]. got [3, 3, 3], which has 3',
    ],
    [
      () => layers.conv2d({ ...stem, kernelSize: 0 }),
      'conv2d "stem": kernelSize must be a whole number from 1 to 2^31 - 1. got 0',
    ],
    [
      () => layers.conv2d({ ...stem, strides: 1.5 }),
      'conv2d "stem": strides must be a whole number from 1 to 2^31 - 1. got 1.5',
    ],
    [
      () => layers.conv2d({ ...stem, dilationRate: [1, 0] }),
      'conv2d "stem": dilationRate (width) must be a whole number from 1 to 2^31 - 1. got 0',
    ],
    [
      () => layers.conv2d({ ...stem, padding: 'SAME' as never }),
      'conv2d "stem": padding must be \'valid\', \'same\', a number or [[top, bottom], [left, right]]. got "SAME"',
    ],
    [
      () => layers.conv2d({ ...stem, padding: -1 }),
      'conv2d "stem": padding must be a whole number from 0 to 2^31 - 1. got -1',
    ],
    [() => layers.conv2d({ ...stem, strict: 1 as never }), 'conv2d "stem": strict must be true or false. got 1'],
    [() => layers.conv2d({ ...stem, groups: 3 }), 'conv2d "stem": 3 groups do not divide the 4 filters'],
    [
      () => layers.conv2d({ ...stem, stride: 2 } as never),
      /^conv2d: there is no option stride \(got 2\)\. valid are filters, kernelSize, dilationRate, groups, strides,/,
    ],
    [
      on([28, 28], stem),
      'conv2d "stem": the input must have 4 axes (N, H, W, C). got [null, 28, 28]. reshape gives images a channel axis: [N, H, W, 1]',
    ],
    [
      on([28, 28, 3], { ...stem, groups: 2 }),
      'conv2d "stem": 2 groups do not divide the 3 channels of the input. input [null, 28, 28, 3] (N, H, W, C)',
    ],
    [
      on([28, 28, null], stem),
      'conv2d "stem": the size of axis 3 must be known, because weights depend on it. input [null, 28, 28, null]',
    ],
    [
      on([2, 28, 1], stem),
      'conv2d "stem": a window of height 3 does not fit in an input of height 2, so nothing would come out. input [null, 2, 28, 1] (N, H, W, C). use a smaller window, or padding of at least 1 on every side.',
    ],
    [
      on([7, 7, 1], { ...stem, strides: 3, strict: true }),
      'conv2d "stem": a window of height 3 and stride 3 does not tile an input of height 7: (7 − 3) / 3 + 1 = 2.33. input [null, 7, 7, 1] (N, H, W, C). strides that fit: 1, 2, 4.',
    ],
  ]
  for (const [fn, message] of cases) t.throws(fn, { message })
})

test('strict is kept by every layer with a window', (t) => {
  const window = { kernelSize: 3, strides: 3, strict: true, name: 'w' }
  const why =
    'a window of height 3 and stride 3 does not tile an input of height 7: (7 − 3) / 3 + 1 = 2.33. input [null, 7, 7, 2] (N, H, W, C). strides that fit: 1, 2, 4.'
  const cases: [Layer, string][] = [
    [layers.conv2d({ ...window, filters: 2 }), `conv2d "w": ${why}`],
    [layers.conv2d({ ...window, filters: 2, groups: 2 }), `conv2d "w": ${why}`],
    [layers.depthwiseConv2d(window), `depthwiseConv2d "w": ${why}`],
    [layers.separableConv2d({ ...window, filters: 2 }), `separableConv2d "w": depthwiseConv2d "depthwise": ${why}`],
    [layers.maxout({ ...window, filters: 2, pieces: 2 }), `maxout "w": conv2d "linear": ${why}`],
    [layers.maxPool2d({ poolSize: 3, strides: 3, strict: true, name: 'w' }), `maxPool2d "w": ${why}`],
    [layers.avgPool2d({ poolSize: 3, strides: 3, strict: true, name: 'w' }), `avgPool2d "w": ${why}`],
  ]
  for (const [layer, message] of cases) {
    t.throws(() => layer.apply(input({ shape: [7, 7, 2] })), { instanceOf: ShapeError, message })
  }
  // A layer that was built for one size meets another.
  const layer = layers.conv2d({ filters: 1, kernelSize: 3, strides: 2, strict: true, name: 'w' })
  t.deepEqual(layer.apply(zeros([1, 7, 7, 2])).shape, [1, 3, 3, 1])
  t.throws(() => layer.apply(zeros([1, 8, 7, 2])), {
    message:
      'conv2d "w": a window of height 3 and stride 2 does not tile an input of height 8: (8 − 3) / 2 + 1 = 3.50. input [1, 8, 7, 2] (N, H, W, C), weight [3, 3, 2, 1] (kH, kW, C, O). strides that fit: 1, 5.',
  })
})

test('depthwise convolution looks at each channel alone', async (t) => {
  const x = image([1, 5, 5, 3])
  const layer = layers.depthwiseConv2d({ kernelSize: 2, depthMultiplier: 2, strides: 2, padding: 'same' })
  const y = layer.apply(x)
  t.deepEqual(y.shape, [1, 3, 3, 6])
  t.deepEqual(
    layer.weights.map((w) => w.shape),
    [[2, 2, 1, 6], [6]],
  )
  t.is(layer.countParams(), 30)
  t.deepEqual(await y.array(), await conv2d(x, layer.weights[0]!, { groups: 3, stride: 2, padding: 'same' }).array())
  // Channel 1 becomes channels 2 and 3: nothing else reaches them.
  const only = zeros([1, 5, 5, 3])
  const one = layers.depthwiseConv2d({ kernelSize: 1, depthMultiplier: 2, kernelInitializer: 'ones' })
  t.deepEqual(await one.apply(only).data(), await zeros([1, 5, 5, 6]).data())
  const pixel = tensor([[[[1, 2, 3]]]])
  t.deepEqual(await one.apply(pixel).data(), new Float32Array([1, 1, 2, 2, 3, 3]))
  t.throws(() => layers.depthwiseConv2d({ kernelSize: 2, depthMultiplier: 0 }), {
    message: 'depthwiseConv2d: depthMultiplier must be a whole number from 1. got 0',
  })
  t.throws(() => layers.depthwiseConv2d({ kernelSize: 2, filters: 2 } as never), {
    message: /there is no option filters/,
  })
})

test('separable convolution is a depthwise one, then one of 1 × 1', async (t) => {
  const x = image([1, 6, 6, 3])
  const layer = layers.separableConv2d({
    filters: 5,
    kernelSize: 3,
    depthMultiplier: 2,
    padding: 'same',
    activation: 'relu',
  })
  const y = layer.apply(x)
  t.deepEqual(
    layer.weights.map((w) => w.shape),
    [[3, 3, 1, 6], [1, 1, 6, 5], [5]],
  )
  t.is(layer.countParams(), 54 + 30 + 5)
  const [depthwise, pointwise] = layer.weights
  const between = conv2d(x, depthwise!, { groups: 3, padding: 'same' })
  t.deepEqual(await y.array(), await relu(conv2d(between, pointwise!)).array())
  t.deepEqual(layer.outputShape([null, 6, 6, 3]), [null, 6, 6, 5])
  const net = sequential({
    inputShape: [6, 6, 3],
    layers: [
      layers.separableConv2d({ filters: 5, kernelSize: 3, depthwiseRegularizer: 'l2', pointwiseInitializer: 'ones' }),
    ],
  })
  t.deepEqual(
    net.weights.map((w) => w.name),
    ['depthwise/kernel', 'pointwise/kernel', 'pointwise/bias'],
  )
  t.deepEqual(await net.weights[1]!.data(), await ones([1, 1, 3, 5]).data())
  t.true((await net.regularization()!.item()) > 0)
  t.throws(() => layers.separableConv2d({ filters: 2, kernelSize: 0, name: 's' }), {
    message:
      'separableConv2d "s": depthwiseConv2d "depthwise": kernelSize must be a whole number from 1 to 2^31 - 1. got 0',
  })
  t.throws(() => layers.separableConv2d({ filters: 2, kernelSize: 3, groups: 2 } as never), {
    message: /^separableConv2d: there is no option groups/,
  })
})
