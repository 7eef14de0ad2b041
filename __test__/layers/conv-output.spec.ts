// The arithmetic of convolutions: the questions that the course works out, and the layer and the op as witnesses.
import test from 'ava'
import { type ConvOutputOptions, conv2d, convOutput, layers, ShapeError, sequential, zeros } from 'ferrograd'

test('the questions of the course have its answers', (t) => {
  const of = (options: ConvOutputOptions) => {
    const { shape, parameters } = convOutput(options)
    return [...shape, parameters]
  }
  const rgb = [32, 32, 3] as const
  // One 5 × 5 × 3 filter makes a map of 28 × 28; six of them a volume of depth 6, on which ten 5 × 5 × 6 look.
  t.deepEqual(of({ input: rgb, filters: 1, kernel: 5 }), [28, 28, 1, 76])
  t.deepEqual(of({ input: rgb, filters: 6, kernel: 5 }), [28, 28, 6, 456])
  t.deepEqual(of({ input: [28, 28, 6], filters: 10, kernel: 5 }), [24, 24, 10, 1510])
  // Ten 5 × 5 filters with stride 1 and pad 2: how large is the volume, how many parameters?
  t.deepEqual(of({ input: rgb, filters: 10, kernel: 5, stride: 1, padding: 2 }), [32, 32, 10, 760])
  // A 7 × 7 input under a 3 × 3 filter.
  t.deepEqual(of({ input: [7, 7, 1], filters: 1, kernel: 3 }).slice(0, 2), [5, 5])
  t.deepEqual(of({ input: [7, 7, 1], filters: 1, kernel: 3, stride: 2 }).slice(0, 2), [3, 3])
  t.deepEqual(of({ input: [7, 7, 1], filters: 1, kernel: 3, padding: 1 }).slice(0, 2), [7, 7])
  // 1 × 1 convolutions mix channels: 32 filters of 64 weights.
  t.deepEqual(of({ input: [56, 56, 64], filters: 32, kernel: 1 }), [56, 56, 32, 2080])
  // The first layer of AlexNet: 55 × 55 × 96, 35 thousand parameters.
  t.deepEqual(of({ input: [227, 227, 3], filters: 96, kernel: 11, stride: 4 }), [55, 55, 96, 34_944])
})

test('the common settings: filters in powers of two, and what each does to the size', (t) => {
  for (let filters = 32; filters <= 1024; filters *= 2) {
    const at = (options: { kernel: number; stride?: number; padding?: number }) =>
      convOutput({ input: [64, 64, 128], filters, ...options })
    t.deepEqual(at({ kernel: 3, stride: 1, padding: 1 }).shape, [64, 64, filters])
    t.deepEqual(at({ kernel: 5, stride: 1, padding: 2 }).shape, [64, 64, filters])
    t.deepEqual(at({ kernel: 1, stride: 1, padding: 0 }).shape, [64, 64, filters])
    t.deepEqual(at({ kernel: 3, stride: 2, padding: 0 }).shape, [31, 31, filters])
    t.is(at({ kernel: 3 }).parameters, 9 * 128 * filters + filters)
    t.is(at({ kernel: 5 }).parameters, 25 * 128 * filters + filters)
    t.is(at({ kernel: 1 }).parameters, 128 * filters + filters)
  }
  // F = 5, S = 2, "P whatever fits": on 63 pixels any, on 64 none but one row on one side.
  const halved = (size: number, padding: ConvOutputOptions['padding']) =>
    convOutput({ input: [size, size, 3], filters: 32, kernel: 5, stride: 2, padding: padding!, strict: true }).shape[0]
  t.deepEqual(
    [0, 1, 2, 3].map((padding) => halved(63, padding)),
    [30, 31, 32, 33],
  )
  t.throws(() => halved(64, 2), { message: /does not tile an input of height 68 \(with padding\)/ })
  const lopsided = [2, 1] as const
  t.is(halved(64, [lopsided, lopsided]), 32)
  t.is(halved(64, 'same'), 32)
})

test('a filter that does not tile leaves pixels out, or is refused with the strides that fit', (t) => {
  const options = { input: [7, 7, 3], filters: 1, kernel: 3, stride: 3 } as const
  t.deepEqual(convOutput(options).shape, [2, 2, 1])
  t.throws(() => convOutput({ ...options, strict: true }), {
    instanceOf: ShapeError,
    code: 'ERR_SHAPE',
    message:
      'convOutput: a window of height 3 and stride 3 does not tile an input of height 7: (7 − 3) / 3 + 1 = 2.33. input [7, 7, 3] (H, W, C). strides that fit: 1, 2, 4.',
  })
  for (const stride of [1, 2, 4]) t.notThrows(() => convOutput({ ...options, stride, strict: true }))
  t.notThrows(() => convOutput({ ...options, padding: 1, strict: true }))
  // Each axis is looked at for itself.
  t.throws(() => convOutput({ input: [7, 10, 1], filters: 1, kernel: 3, stride: [2, 2], strict: true }), {
    message:
      'convOutput: a window of width 3 and stride 2 does not tile an input of width 10: (10 − 3) / 2 + 1 = 4.50. input [7, 10, 1] (H, W, C). strides that fit: 1, 7.',
  })
})

const settings: ConvOutputOptions[] = [
  { input: [9, 8, 6], filters: 4, kernel: 3 },
  { input: [9, 8, 6], filters: 4, kernel: [5, 2], stride: [2, 3], padding: 'same' },
  { input: [17, 13, 6], filters: 9, kernel: 3, dilation: [2, 3], groups: 3, padding: 2 },
  { input: [12, 12, 8], filters: 8, kernel: 3, groups: 8, useBias: false },
  { input: [11, 11, 1], filters: 2, kernel: 11, stride: 4, padding: [[3, 2], [0, 4]] }, // biome-ignore format: one a line
  { input: [2, 3, 5], filters: 7, kernel: 1, stride: 2 },
]

test('shape, parameters and FLOPs are those of the op and of the layer in a summary', (t) => {
  for (const options of settings) {
    const { input, filters, kernel, stride = 1, padding = 'valid', dilation = 1, groups = 1, useBias = true } = options
    const { shape, parameters, flops } = convOutput(options)
    const what = JSON.stringify(options)
    const [kh, kw] = typeof kernel === 'number' ? [kernel, kernel] : kernel
    const weight = zeros([kh!, kw!, input[2] / groups, filters])
    t.deepEqual(conv2d(zeros([1, ...input]), weight, { stride, padding, dilation, groups }).shape, [1, ...shape], what)
    t.is(parameters, weight.size + (useBias ? filters : 0), what)
    const layer = layers.conv2d({
      filters,
      kernelSize: kernel,
      strides: stride,
      padding,
      dilationRate: dilation,
      groups,
      useBias,
    })
    const net = sequential({ inputShape: input, layers: [layer] })
    t.is(net.countParams(), parameters, what)
    t.is(net.flops([null, ...input]), flops, what)
    // The products, counted one by one.
    const positions = shape[0] * shape[1] * shape[2]
    t.is(flops, positions * (2 * kh! * kw! * (input[2] / groups) + (useBias ? 1 : 0)), what)
  }
})

test('an empty output is an error that says how much padding it takes', (t) => {
  const small = { input: [4, 9, 3], filters: 2, kernel: 7 } as const
  t.throws(() => convOutput(small), {
    instanceOf: ShapeError,
    message:
      'convOutput: a window of height 7 does not fit in an input of height 4, so nothing would come out. input [4, 9, 3] (H, W, C). use a smaller window, or padding of at least 2 on every side.',
  })
  t.throws(() => convOutput({ ...small, padding: 1 }), {
    message:
      'convOutput: a window of height 7 does not fit in an input of height 4, 6 with padding, so nothing would come out. input [4, 9, 3] (H, W, C). use a smaller window, or padding of at least 2 on every side.',
  })
  t.deepEqual(convOutput({ ...small, padding: 2 }).shape, [2, 7, 2])
  t.throws(() => convOutput({ input: [9, 9, 3], filters: 1, kernel: 3, dilation: 5 }), {
    message:
      'convOutput: a window of height 3 with dilation 5, so 11, does not fit in an input of height 9, so nothing would come out. input [9, 9, 3] (H, W, C). use a smaller window, or padding of at least 1 on every side.',
  })
})

test('what cannot be is refused', (t) => {
  const good = { input: [8, 8, 3], filters: 4, kernel: 3 } as const
  const image = 'convOutput: input must be [height, width, channels] of one image'
  const cases: [unknown, new (message?: string) => Error, string][] = [
    [undefined, TypeError, 'convOutput: expects an options object. got undefined'],
    [
      { ...good, strides: 2 },
      TypeError,
      'convOutput: there is no option strides (got 2). valid are input, filters, kernel, stride, padding, dilation, groups, useBias and strict',
    ],
    [{ ...good, input: 32 }, TypeError, `${image}. got 32`],
    [{ ...good, input: [32, 32] }, RangeError, `${image}, whole numbers from 1. got [32, 32]`],
    [{ ...good, input: [1, 32, 32, 3] }, RangeError, `${image}, whole numbers from 1. got [1, 32, 32, 3]`],
    [{ ...good, input: [0, 8, 3] }, RangeError, `${image}, whole numbers from 1. got [0, 8, 3]`],
    [{ ...good, input: [8, 8, 1.5] }, RangeError, `${image}, whole numbers from 1. got [8, 8, 1.5]`],
    [{ ...good, input: [8, null, 3] }, RangeError, `${image}, whole numbers from 1. got [8, null, 3]`],
    [{ ...good, filters: 0 }, RangeError, 'convOutput: filters must be a whole number from 1. got 0'],
    [{ input: [8, 8, 3], kernel: 3 }, TypeError, 'convOutput: filters must be a whole number. got undefined'],
    [{ ...good, kernel: 0 }, RangeError, 'convOutput: kernel must be a whole number from 1 to 2^31 - 1. got 0'],
    [
      { ...good, kernel: [3, 3, 3] },
      RangeError,
      'convOutput: kernel must be a number or [height, width]. got [3, 3, 3], which has 3',
    ],
    [{ ...good, stride: 0 }, RangeError, 'convOutput: stride must be a whole number from 1 to 2^31 - 1. got 0'],
    [{ ...good, dilation: -1 }, RangeError, 'convOutput: dilation must be a whole number from 1 to 2^31 - 1. got -1'],
    [
      { ...good, padding: 'full' },
      TypeError,
      "convOutput: padding must be 'valid', 'same', a number or [[top, bottom], [left, right]]. got \"full\"",
    ],
    [
      { ...good, groups: 2 },
      ShapeError,
      'convOutput: 2 groups do not divide the 3 channels of the input. input [8, 8, 3] (H, W, C).',
    ],
    [{ ...good, groups: 3 }, RangeError, 'convOutput: 3 groups do not divide the 4 filters'],
    [{ ...good, groups: 0 }, RangeError, 'convOutput: groups must be a whole number from 1. got 0'],
    [{ ...good, useBias: 1 }, TypeError, 'convOutput: useBias must be true or false. got 1'],
    [{ ...good, strict: 1 }, TypeError, 'convOutput: strict must be a boolean. got 1'],
  ]
  for (const [options, instanceOf, message] of cases) {
    t.throws(() => convOutput(options as ConvOutputOptions), { instanceOf, message })
  }
})
