import { createRequire } from 'node:module'
import test from 'ava'
import * as ferrograd from 'ferrograd'
import {
  backward,
  type Conv2dOptions,
  conv2d,
  type DType,
  DTypeError,
  gradCheck,
  matmul,
  memory,
  noGrad,
  reshape,
  ShapeError,
  setThreads,
  type Tensor,
  tensor,
  threads,
  transpose,
  variable,
} from 'ferrograd'
import { assertCourse, courseImages, courseTensor, testCourse } from '../helpers/course.js'

const require = createRequire(import.meta.url)
/** The addon itself: the same object that the package calls. */
const native = require('../../native/binding.cjs') as Record<string, (...values: unknown[]) => void>

const size = (shape: readonly number[]): number => shape.reduce((product, dimension) => product * dimension, 1)
const plain = async (x: Tensor): Promise<number[]> => [...(await x.data())]
const zeros = (...shape: number[]): Tensor => tensor(new Float32Array(size(shape)), { shape })

/** Small integers: products and sums are exact in float32, so results can be compared without a tolerance. */
function integers(shape: number[], seed: number, dtype: DType = 'float32'): Tensor {
  const values = Array.from({ length: size(shape) }, (_, i) => ((i * 7 + seed * 5) % 11) - 5)
  return tensor(dtype === 'float64' ? Float64Array.from(values) : Float32Array.from(values), { shape })
}

/** Numbers without a pattern from -1 to 1, in float64. */
function numbers(shape: number[], seed: number): Tensor {
  return tensor(
    Float64Array.from({ length: size(shape) }, (_, i) => Math.sin(12.9898 * (i + 1) + 78.233 * seed)),
    { shape },
  )
}

/** What `options` say, spelled out; the arithmetic of 'same' is that of api docs and of TensorFlow. */
function geometry(x: number[], weight: number[], options: Conv2dOptions) {
  const pair = (value: Conv2dOptions['stride']): [number, number] =>
    typeof value === 'object' ? [value[0], value[1]] : [value ?? 1, value ?? 1]
  const [stride, dilation] = [pair(options.stride), pair(options.dilation)]
  const { padding = 'valid', groups = 1 } = options
  const axes = [0, 1].map((i) => {
    const span = (weight[i]! - 1) * dilation[i]! + 1
    let [before, after] = [0, 0]
    if (padding === 'same') {
      const total = Math.max(0, (Math.ceil(x[i + 1]! / stride[i]!) - 1) * stride[i]! + span - x[i + 1]!)
      before = Math.floor(total / 2)
      after = Math.ceil(total / 2)
    } else if (typeof padding === 'number') {
      before = after = padding
    } else if (padding !== 'valid') {
      ;[before, after] = padding[i]!
    }
    return { before, output: Math.floor((x[i + 1]! + before + after - span) / stride[i]!) + 1 }
  })
  return { stride, dilation, groups, before: axes.map((a) => a.before), output: axes.map((a) => a.output) }
}

/** The definition: calls `each(x, weight, y)` with the index of every product x · weight that y sums. */
function products(
  x: number[],
  weight: number[],
  options: Conv2dOptions,
  each: (x: number, weight: number, y: number) => void,
): number[] {
  const { stride, dilation, groups, before, output } = geometry(x, weight, options)
  const [n, h, w, c] = x as [number, number, number, number]
  const [kh, kw, each_, o] = weight as [number, number, number, number]
  const shape = [n, output[0]!, output[1]!, o]
  for (let at = 0; at < size(shape); at++) {
    const filter = at % o
    const col = Math.floor(at / o) % shape[2]!
    const row = Math.floor(at / o / shape[2]!) % shape[1]!
    const image = Math.floor(at / o / shape[2]! / shape[1]!)
    const first = Math.floor(filter / (o / groups)) * each_
    for (let a = 0; a < kh; a++) {
      for (let b = 0; b < kw; b++) {
        const i = row * stride[0] + a * dilation[0] - before[0]!
        const j = col * stride[1] + b * dilation[1] - before[1]!
        if (i < 0 || i >= h || j < 0 || j >= w) continue
        for (let channel = 0; channel < each_; channel++) {
          const from = ((image * h + i) * w + j) * c + first + channel
          each(from, ((a * kw + b) * each_ + channel) * o + filter, at)
        }
      }
    }
  }
  return shape
}

interface Case {
  x: [number, number, number, number]
  weight: [number, number, number, number]
  options?: Conv2dOptions
}

/** Every direction and option: thin and wide, odd sizes, strides that step over pixels, paddings past the input. */
const cases: Case[] = [
  { x: [1, 1, 1, 1], weight: [1, 1, 1, 1] },
  { x: [2, 5, 4, 3], weight: [3, 2, 3, 5] },
  { x: [2, 5, 4, 3], weight: [3, 2, 3, 5], options: { padding: 'same' } },
  { x: [1, 9, 8, 17], weight: [3, 3, 17, 33], options: { padding: 1 } },
  { x: [3, 7, 7, 4], weight: [3, 3, 4, 6], options: { stride: 2 } },
  { x: [3, 8, 7, 4], weight: [3, 3, 4, 6], options: { stride: [2, 3], padding: 'same' } },
  { x: [1, 9, 11, 2], weight: [2, 3, 2, 4], options: { dilation: [3, 2] } },
  { x: [1, 12, 12, 2], weight: [3, 3, 2, 3], options: { dilation: 2, stride: 2, padding: 2 } },
  { x: [1, 10, 13, 3], weight: [3, 4, 3, 2], options: { dilation: [2, 3], stride: [4, 6], padding: 3 } },
  { x: [2, 4, 5, 2], weight: [2, 2, 2, 3], options: { padding: [[0, 2], [3, 1]] } }, // biome-ignore format: one case a line
  { x: [1, 2, 3, 2], weight: [2, 2, 2, 3], options: { padding: 7 } },
  { x: [1, 2, 2, 1], weight: [2, 2, 1, 1], options: { padding: 9, stride: 5 } },
  { x: [2, 6, 6, 8], weight: [3, 3, 2, 12], options: { groups: 4, padding: 'same' } },
  { x: [2, 6, 6, 36], weight: [3, 3, 18, 40], options: { groups: 2, padding: 1, stride: 2 } },
  { x: [1, 7, 6, 5], weight: [3, 3, 1, 5], options: { groups: 5, padding: 'same' } },
  { x: [2, 7, 6, 40], weight: [3, 2, 1, 40], options: { groups: 40, stride: 2, padding: 'same' } },
  { x: [1, 7, 6, 3], weight: [3, 3, 1, 9], options: { groups: 3, dilation: 2, padding: 2 } },
  { x: [1, 5, 5, 2], weight: [2, 2, 1, 40], options: { groups: 2 } },
  { x: [2, 6, 6, 12], weight: [1, 1, 12, 20] },
  { x: [2, 6, 6, 12], weight: [1, 1, 12, 20], options: { stride: 2 } },
  { x: [2, 8, 8, 3], weight: [4, 4, 3, 10], options: { stride: 4 } },
  { x: [3, 2, 2, 20], weight: [3, 3, 20, 24], options: { padding: 'same' } },
  { x: [2, 5, 6, 16], weight: [5, 5, 16, 24], options: { padding: 'same' } },
  { x: [1, 6, 40, 3], weight: [6, 5, 3, 4], options: { padding: [[0, 0], [2, 2]] } }, // biome-ignore format: one case a line
]
const named = (c: Case): string => JSON.stringify(c)

/** Whether it may run by the Winograd algorithm, whose result only rounds to the integers. */
function mayRound({ x, weight, options = {} }: Case): boolean {
  const { stride, dilation, groups } = geometry(x, weight, options)
  const tiles = weight[0] === weight[1] && (weight[0] === 3 || weight[0] === 5)
  return tiles && groups === 1 && [...stride, ...dilation].every((n) => n === 1) && x[3] >= 16 && weight[3] >= 16
}

test('every direction is exact in integers, in float32 and float64', async (t) => {
  for (const { x: xShape, weight: weightShape, options = {} } of cases) {
    for (const dtype of ['float32', 'float64'] as const) {
      const x = variable(integers(xShape, 1, dtype))
      const weight = variable(integers(weightShape, 2, dtype))
      const bias = variable(integers([weightShape[3]], 3, dtype))
      const [xs, ws, bs] = [await plain(x), await plain(weight), await plain(bias)]
      const y = conv2d(x, weight, { ...options, bias })
      const expected: number[] = []
      const shape = products(xShape, weightShape, options, (a, b, at) => {
        expected[at] = (expected[at] ?? 0) + xs[a]! * ws[b]!
      })
      const name = `${named({ x: xShape, weight: weightShape, options })} ${dtype}`
      const rounds = dtype === 'float32' && mayRound({ x: xShape, weight: weightShape, options })
      const same = (found: number[], expected: number[], what: string): void => {
        if (!rounds) return void t.deepEqual(found, expected, what)
        t.true(
          found.every((value, at) => Math.abs(value - expected[at]!) < 1e-2),
          what,
        )
      }
      t.deepEqual(y.shape, shape, name)
      t.is(y.dtype, dtype)
      const sums = Array.from({ length: size(shape) }, (_, at) => (expected[at] ?? 0) + bs[at % bs.length]!)
      same(await plain(y), sums, name)

      const dy = integers([y.size], 4, dtype)
      const dys = await plain(dy)
      const gradients = backward(matmul(reshape(y, [y.size]), dy))
      const [dx, dw, db] = [xs, ws, bs].map((values) => values.map(() => 0)) as [number[], number[], number[]]
      products(xShape, weightShape, options, (a, b, at) => {
        dx[a]! += dys[at]! * ws[b]!
        dw[b]! += dys[at]! * xs[a]!
      })
      dys.forEach((value, at) => {
        db[at % db.length]! += value
      })
      same(await plain(gradients.get(x)), dx, `${name}: gradient of x`)
      same(await plain(gradients.get(weight)), dw, `${name}: gradient of the weight`)
      t.deepEqual(await plain(gradients.get(bias)), db, `${name}: gradient of the bias`)
    }
  }
})

testCourse('conv_forward_linspace', async (t, vector, precision) => {
  const x = courseImages(vector, 'x', precision)
  // Filters first, as the course has them, to last.
  const weight = transpose(courseTensor(vector, 'w', precision), [2, 3, 1, 0])
  const y = conv2d(x, weight, { bias: courseTensor(vector, 'b', precision), stride: 2, padding: 1 })
  assertCourse(t, vector, 'out', await plain(transpose(y, [0, 3, 1, 2])), precision)
})

test('gradients agree with finite differences over geometry', async (t) => {
  const shapes: Case[] = [
    { x: [2, 4, 5, 2], weight: [3, 3, 2, 3], options: { padding: 'same' } },
    { x: [1, 5, 6, 2], weight: [3, 2, 2, 2], options: { stride: 2 } },
    { x: [1, 6, 7, 2], weight: [2, 3, 2, 2], options: { stride: [2, 3], padding: 'same' } },
    { x: [1, 5, 7, 2], weight: [2, 2, 2, 2], options: { dilation: [2, 3] } },
    { x: [1, 6, 6, 1], weight: [3, 3, 1, 2], options: { dilation: 2, stride: 2, padding: 2 } },
    { x: [1, 4, 4, 4], weight: [2, 3, 2, 6], options: { groups: 2, padding: 1 } },
    { x: [1, 4, 4, 3], weight: [3, 3, 1, 3], options: { groups: 3, padding: 'same' } },
    { x: [1, 5, 4, 3], weight: [2, 2, 1, 6], options: { groups: 3, stride: 2, padding: 'same' } },
    { x: [1, 3, 4, 2], weight: [2, 2, 2, 2], options: { padding: [[0, 2], [1, 0]] } }, // biome-ignore format: one case a line
    { x: [2, 3, 3, 3], weight: [1, 1, 3, 2] },
  ]
  for (const { x, weight, options } of shapes) {
    for (const activation of [undefined, 'relu'] as const) {
      const { passed, perInput } = await gradCheck(
        (x, weight, bias) => conv2d(x!, weight!, { ...options, bias, activation }),
        [numbers(x, 1), numbers(weight, 2), numbers([weight[3]], 3)],
      )
      t.true(passed, `${named({ x, weight, options })} ${activation}: ${perInput}`)
    }
  }
})

test('every fused activation is the activation of the convolution, and so is its gradient', async (t) => {
  const error = t.throws(() =>
    // @ts-expect-error: what JavaScript users can do
    conv2d(zeros(1, 3, 3, 1), zeros(2, 2, 1, 1), { activation: 'none of them' }),
  )
  t.is((error as { code?: string }).code, 'ERR_INVALID_ARG_TYPE')
  const names = [...error!.message.matchAll(/'(\w+)'/g)].map((match) => match[1]!)
  for (const name of ['relu', 'elu', 'gelu', 'sigmoid', 'tanh', 'swish']) t.true(names.includes(name), name)
  for (const name of names) {
    const apply = (ferrograd as unknown as Record<string, (x: Tensor) => Tensor>)[name]!
    const [x, weight, bias] = [numbers([2, 4, 4, 2], 1), numbers([2, 2, 2, 3], 2), numbers([3], 3)]
    const activation = name as NonNullable<Conv2dOptions['activation']>
    const fused = await plain(conv2d(x, weight, { bias, activation }))
    const apart = await plain(apply(conv2d(x, weight, { bias })))
    t.deepEqual(fused, apart, name)
    const { passed, perInput } = await gradCheck(
      (x, weight, bias) => conv2d(x!, weight!, { bias, activation, padding: 'same' }),
      [x, weight, bias],
    )
    t.true(passed, `${name}: ${perInput}`)
  }
})

test.serial('what an activation is applied to is freed with the graph', (t) => {
  const [x, weight] = [integers([1, 4, 4, 2], 1), variable(integers([2, 2, 2, 3], 2))]
  const before = memory().tensors
  conv2d(x, weight, { activation: 'gelu' }).dispose()
  conv2d(x, weight, { activation: 'relu' }).dispose()
  t.is(memory().tensors, before)
})

test("'same' gives an output of input / stride, rounded up, and the odd cell at the bottom and right", async (t) => {
  const x = tensor([1, 2, 3, 4], { shape: [1, 2, 2, 1] })
  const picks = tensor([0, 0, 0, 1], { shape: [2, 2, 1, 1] })
  t.deepEqual(await plain(conv2d(x, picks, { padding: 'same' })), [4, 0, 0, 0])
  for (const [input, kernel, stride, dilation] of [
    [5, 2, 1, 1],
    [5, 3, 2, 1],
    [6, 3, 2, 1],
    [7, 1, 3, 1],
    [7, 4, 3, 2],
    [3, 5, 9, 3],
  ] as const) {
    const y = conv2d(zeros(1, input, input + 1, 1), zeros(kernel, kernel, 1, 1), { padding: 'same', stride, dilation })
    t.deepEqual(y.shape, [1, Math.ceil(input / stride), Math.ceil((input + 1) / stride), 1])
  }
})

test('no images and no filters are fine, forward and backward', async (t) => {
  const check = async (x: Case['x'], weight: Case['weight'], shape: number[], groups = 1): Promise<void> => {
    const inputs = [
      variable(integers(x, 1)),
      variable(integers(weight, 2)),
      variable(integers([weight[3]], 3)),
    ] as const
    const y = conv2d(inputs[0], inputs[1], { bias: inputs[2], groups, padding: 'same', activation: 'relu' })
    t.deepEqual(y.shape, shape)
    t.deepEqual(await plain(y), [])
    const gradients = backward(matmul(reshape(y, [0]), tensor([])))
    for (const input of inputs) t.deepEqual(await plain(gradients.get(input)), new Array(input.size).fill(0))
  }
  await check([0, 8, 8, 3], [3, 3, 3, 4], [0, 8, 8, 4])
  await check([2, 3, 3, 3], [3, 3, 3, 0], [2, 3, 3, 0])
  await check([0, 3, 3, 4], [3, 3, 1, 4], [0, 3, 3, 4], 4)
})

test('NaN and infinities propagate, to nothing else, and denormals are kept', async (t) => {
  for (const channels of [1, 3, 20]) {
    for (const odd of [Number.NaN, Infinity, -Infinity]) {
      const values = new Float32Array(6 * 7 * channels).fill(1)
      values[(2 * 7 + 3) * channels] = odd
      const x = tensor(values, { shape: [1, 6, 7, channels] })
      const weight = tensor(new Float32Array(9 * channels * 5), { shape: [3, 3, channels, 5] })
      const y = await plain(conv2d(x, weight, { padding: 'same', activation: 'relu' }))
      y.forEach((value, at) => {
        const [row, col] = [Math.floor(at / 35), Math.floor(at / 5) % 7]
        t.is(Number.isNaN(value), Math.abs(row - 2) <= 1 && Math.abs(col - 3) <= 1, `${odd} at ${row}, ${col}`)
      })
    }
  }
  const tiny = 2 ** -140
  const y = conv2d(tensor([tiny, -0], { shape: [1, 1, 2, 1] }), tensor([1, 3], { shape: [1, 1, 1, 2] }))
  t.deepEqual(await plain(y), [tiny, 3 * tiny, 0, 0])
})

test('a NaN in the weight reaches the same outputs in float32 and float64', async (t) => {
  for (const groups of [1, 2, 8]) {
    const results: boolean[][] = []
    for (const dtype of ['float32', 'float64'] as const) {
      const values = new Float64Array(9 * (8 / groups) * 8).fill(1)
      values[3] = Number.NaN
      values[values.length - 2] = Infinity
      const weight = variable(tensor(values, { shape: [3, 3, 8 / groups, 8], dtype }))
      const x = variable(integers([2, 5, 6, 8], 1, dtype))
      const y = conv2d(x, weight, { groups, padding: 'same', stride: 2 })
      const gradients = backward(matmul(reshape(y, [y.size]), integers([y.size], 2, dtype)))
      const all = [...(await plain(y)), ...(await plain(gradients.get(x))), ...(await plain(gradients.get(weight)))]
      results.push(all.map((value) => Number.isFinite(value)))
    }
    t.deepEqual(results[0], results[1], `${groups} groups`)
  }
})

test.serial('bits do not depend on the number of threads', async (t) => {
  const before = threads()
  const float32 = async (shape: number[], seed: number): Promise<Tensor> =>
    tensor(Float32Array.from((await numbers(shape, seed).data()) as Float64Array), { shape })
  for (const [c, o, groups] of [
    [24, 40, 1],
    [3, 5, 1],
    [32, 32, 32],
  ] as const) {
    const x = variable(await float32([5, 20, 20, c], 1))
    const weight = variable(await float32([3, 3, c / groups, o], 2))
    const dy = await float32([5 * 10 * 10 * o], 3)
    const results: number[][] = []
    for (const count of [1, 2, 5]) {
      setThreads(count)
      const y = conv2d(x, weight, { padding: 'same', stride: 2, groups })
      const gradients = backward(matmul(reshape(y, [y.size]), dy))
      results.push([...(await plain(y)), ...(await plain(gradients.get(x))), ...(await plain(gradients.get(weight)))])
    }
    t.deepEqual(results[1], results[0])
    t.deepEqual(results[2], results[0])
  }
  setThreads(before)
})

test.serial('only the gradients that are asked for are computed', async (t) => {
  const calls: string[] = []
  const names = ['conv2dInputGradient', 'conv2dWeightGradient', 'matmulBiasGradient']
  const originals = names.map((name) => native[name]!)
  names.forEach((name, i) => {
    native[name] = (...values) => {
      calls.push(name)
      originals[i]!(...values)
    }
  })
  try {
    const used = (x: Tensor, weight: Tensor, bias?: Tensor): string[] => {
      calls.length = 0
      const y = conv2d(x, weight, { bias })
      backward(reshape(y, []))
      return [...calls]
    }
    const [x, weight, bias] = [integers([1, 3, 3, 2], 1), integers([3, 3, 2, 1], 2), integers([1], 3)]
    t.deepEqual(used(x, variable(weight), variable(bias)), ['conv2dWeightGradient', 'matmulBiasGradient'])
    t.deepEqual(used(variable(x), weight, bias), ['conv2dInputGradient'])
    t.deepEqual(used(x, weight, variable(bias)), ['matmulBiasGradient'])
    t.deepEqual(used(x, variable(weight)), ['conv2dWeightGradient'])
    t.deepEqual(used(x, variable(weight, { trainable: false }), variable(bias)), ['matmulBiasGradient'])
  } finally {
    names.forEach((name, i) => {
      native[name] = originals[i]!
    })
  }
})

test('nothing is recorded without a variable, and disposing an input does not disturb its gradient', async (t) => {
  const [x, w] = [integers([1, 3, 3, 1], 1), variable(integers([3, 3, 1, 1], 2))]
  t.throws(
    () =>
      backward(
        reshape(
          noGrad(() => conv2d(x, w)),
          [],
        ),
      ),
    { code: 'ERR_GRADIENT' },
  )
  const values = await plain(x)
  const loss = reshape(conv2d(x, w), [])
  x.dispose()
  t.deepEqual(await plain(backward(loss).get(w)), values)
})

test.serial('legal giants take neither memory nor time', async (t) => {
  const most = 2 ** 31 - 1
  const before = process.memoryUsage().rss
  for (const options of [
    { padding: most, stride: most },
    { padding: [[most, 0], [0, most]], stride: most }, // biome-ignore format: one case a line
    { padding: 2 ** 29, dilation: 2 ** 30, stride: most },
    { padding: 'same', stride: most, dilation: 2 ** 20 },
  ] as Conv2dOptions[]) {
    const x = variable(integers([1, 3, 2, 2], 1))
    const weight = variable(integers([2, 2, 2, 3], 2))
    const y = conv2d(x, weight, options)
    t.true(y.size <= 27)
    const gradients = backward(matmul(reshape(y, [y.size]), integers([y.size], 3)))
    const sum = (values: number[]): number => values.reduce((a, b) => a + Math.abs(b), 0)
    t.true(Number.isFinite(sum(await plain(gradients.get(x))) + sum(await plain(gradients.get(weight)))))
  }
  t.true(process.memoryUsage().rss - before < 1e8)
})

test('a kernel that is called past the checks refuses wrong sizes', async (t) => {
  const words = (over: Record<number, number> = {}): Float64Array => {
    const good = [1, 4, 4, 2, 3, 3, 5, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0]
    return Float64Array.from(good.map((word, i) => over[i] ?? word))
  }
  const tensors = [zeros(1, 4, 4, 2), zeros(3, 3, 2, 5), zeros(1, 2, 2, 5), zeros(5), zeros(7)]
  const [x, weight, y, bias, other] = tensors.map((x) => (x as unknown as { handle: number }).handle)
  const refused = (run: () => void, message: RegExp): void => {
    t.throws(run, { message })
  }
  native.conv2dForward!(x, weight, bias, y, false, words())
  for (const [a, b, c, d] of [
    [other, weight, bias, y],
    [x, other, bias, y],
    [x, weight, other, y],
    [x, weight, bias, other],
  ]) {
    refused(() => native.conv2dForward!(a, b, c, d, false, words()), /has 7 elements, the geometry asks for/)
  }
  refused(() => native.conv2dInputGradient!(other, weight, x, words()), /the output has 7 elements/)
  refused(() => native.conv2dInputGradient!(y, other, x, words()), /the weight has 7 elements/)
  refused(() => native.conv2dInputGradient!(y, weight, other, words()), /the input has 7 elements/)
  refused(() => native.conv2dWeightGradient!(other, y, weight, words()), /the input has 7 elements/)
  refused(() => native.conv2dWeightGradient!(x, other, weight, words()), /the output has 7 elements/)
  refused(() => native.conv2dWeightGradient!(x, y, other, words()), /the weight has 7 elements/)
  refused(() => native.conv2dForward!(x, weight, bias, x, false, words({ 6: 2 })), /geometry|written/)
  for (const bad of [-1, 0.5, Number.NaN, Infinity, 2 ** 31, 2 ** 53]) {
    for (let i = 0; i < 17; i++) {
      refused(() => native.conv2dForward!(x, weight, bias, y, false, words({ [i]: bad })), /conv2d/)
    }
  }
  const odd: Record<number, number>[] = [{ 4: 0 }, { 7: 0 }, { 8: 0 }, { 10: 0 }, { 4: 5 }, { 7: 3 }]
  for (const over of [...odd, { 0: 2 ** 30, 1: 2 ** 30, 2: 2 ** 30 }]) {
    refused(() => native.conv2dInputGradient!(y, weight, x, words(over)), /conv2d/)
  }
  refused(() => native.conv2dForward!(x, weight, bias, y, false, words().subarray(1)), /16 are expected/)
  t.deepEqual(await plain(conv2d(zeros(1, 4, 4, 2), zeros(3, 3, 2, 1))), [0, 0, 0, 0], 'the process goes on')
})

const layouts = 'input [2, 8, 8, 4] (N, H, W, C), weight [3, 3, 4, 6] (kH, kW, C, O).'

test('odd options are named with their value', (t) => {
  const [x, weight] = [zeros(2, 8, 8, 4), zeros(3, 3, 4, 6)]
  const range = (options: unknown, message: string): void => {
    t.throws(() => conv2d(x, weight, options as Conv2dOptions), {
      instanceOf: RangeError,
      code: 'ERR_OUT_OF_RANGE',
      message,
    })
  }
  const type = (options: unknown, message: string): void => {
    t.throws(() => conv2d(x, weight, options as Conv2dOptions), {
      instanceOf: TypeError,
      code: 'ERR_INVALID_ARG_TYPE',
      message,
    })
  }
  for (const name of ['stride', 'dilation', 'groups']) {
    for (const [value, shown] of [
      [0, '0'],
      [-1, '-1'],
      [1.5, '1.5'],
      [Number.NaN, 'NaN'],
      [Infinity, 'Infinity'],
      [2 ** 31, '2147483648'],
      [2 ** 53, '9007199254740992'],
    ] as const) {
      range({ [name]: value }, `conv2d: ${name} must be a whole number from 1 to 2^31 - 1. got ${shown}`)
    }
    type({ [name]: '2' }, `conv2d: ${name} must be a whole number from 1. got "2"`)
    type({ [name]: null }, `conv2d: ${name} must be a whole number from 1. got null`)
  }
  range({ stride: [1] }, 'conv2d: stride must be a number or [height, width]. got [1], which has 1')
  range({ stride: [1, 1, 1] }, 'conv2d: stride must be a number or [height, width]. got [1, 1, 1], which has 3')
  range({ stride: [1, 0] }, 'conv2d: stride (width) must be a whole number from 1 to 2^31 - 1. got 0')
  range({ dilation: [-2, 1] }, 'conv2d: dilation (height) must be a whole number from 1 to 2^31 - 1. got -2')
  for (const value of [-1, 0.5, Number.NaN, 2 ** 31, 2 ** 32, 2 ** 62]) {
    range({ padding: value }, `conv2d: padding must be a whole number from 0 to 2^31 - 1. got ${value}`)
  }
  const forms = "conv2d: padding must be 'valid', 'same', a number or [[top, bottom], [left, right]]."
  range({ padding: [1, 1] }, `${forms} got [1, 1]`)
  range({ padding: [[1, 1]] }, `${forms} got [[1, 1]]`)
  range({ padding: [[1, 1], [1]] }, `${forms} got [[1, 1], [1]]`)
  range(
    {
      padding: [
        [1, 1],
        [1, -1],
      ],
    },
    'conv2d: padding (right) must be a whole number from 0 to 2^31 - 1. got -1',
  )
  type({ padding: 'full' }, `${forms} got "full"`)
  type({ padding: null }, `${forms} got null`)
  type({ padding: {} }, `${forms} got an object`)
  type({ strict: 1 }, 'conv2d: strict must be a boolean. got 1')
  type({ bias: [1, 2] }, 'conv2d: bias must be a Tensor. got [1, 2]. make one with tensor(values)')
  type(null, 'conv2d: options must be an object. got null')
  type(3, 'conv2d: options must be an object. got 3')
  t.throws(() => conv2d([1] as unknown as Tensor, weight), {
    instanceOf: TypeError,
    message: 'conv2d: x must be a Tensor. got [1]. make one with tensor(values)',
  })
  t.throws(() => conv2d(x, undefined as unknown as Tensor), {
    instanceOf: TypeError,
    message: 'conv2d: weight must be a Tensor. got undefined. make one with tensor(values)',
  })
})

test('shapes that do not fit are named with their layout', (t) => {
  const refuses = (x: Tensor, weight: Tensor, options: Conv2dOptions, message: string): void => {
    t.throws(() => conv2d(x, weight, options), { instanceOf: ShapeError, code: 'ERR_SHAPE', message })
  }
  const [x, weight] = [zeros(2, 8, 8, 4), zeros(3, 3, 4, 6)]
  refuses(
    zeros(64, 28, 28, 1),
    zeros(5, 5, 3, 32),
    {},
    'conv2d: the input has 1 channel, but the weight expects 3. input [64, 28, 28, 1] (N, H, W, C), weight [5, 5, 3, 32] (kH, kW, C, O).',
  )
  refuses(
    x,
    weight,
    { groups: 2 },
    `conv2d: the input has 4 channels, but the weight expects 4 in each of 2 groups, 8 together. ${layouts}`,
  )
  refuses(x, weight, { groups: 3 }, `conv2d: 3 groups do not divide the 4 channels of the input. ${layouts}`)
  refuses(x, weight, { groups: 8 }, `conv2d: 8 groups do not divide the 4 channels of the input. ${layouts}`)
  refuses(x, weight, { groups: 4 }, `conv2d: 4 groups do not divide the 6 filters. ${layouts}`)
  refuses(
    zeros(2, 8, 8),
    weight,
    {},
    'conv2d: the input must have 4 axes, not 3. input [2, 8, 8] (N, H, W, C), weight [3, 3, 4, 6] (kH, kW, C, O).',
  )
  refuses(
    zeros(2, 8, 8, 4, 1),
    weight,
    {},
    'conv2d: the input must have 4 axes, not 5. input [2, 8, 8, 4, 1] (N, H, W, C), weight [3, 3, 4, 6] (kH, kW, C, O).',
  )
  refuses(
    x,
    zeros(3, 3, 4),
    {},
    'conv2d: the weight must have 4 axes, not 3. input [2, 8, 8, 4] (N, H, W, C), weight [3, 3, 4] (kH, kW, C, O).',
  )
  refuses(
    x,
    zeros(0, 0, 4, 6),
    {},
    'conv2d: the filters have no taps. input [2, 8, 8, 4] (N, H, W, C), weight [0, 0, 4, 6] (kH, kW, C, O).',
  )
  refuses(
    zeros(2, 8, 8, 0),
    zeros(3, 3, 0, 6),
    {},
    'conv2d: the input has no channels. input [2, 8, 8, 0] (N, H, W, C), weight [3, 3, 0, 6] (kH, kW, C, O).',
  )
  for (const [height, width, name] of [
    [0, 8, 'height'],
    [8, 0, 'width'],
  ] as const) {
    refuses(
      zeros(2, height, width, 4),
      weight,
      { padding: 2 },
      `conv2d: the ${name} of the input is 0. input [2, ${height}, ${width}, 4] (N, H, W, C), weight [3, 3, 4, 6] (kH, kW, C, O).`,
    )
  }
  refuses(
    zeros(2, 2, 8, 4),
    weight,
    {},
    'conv2d: a window of height 3 does not fit in an input of height 2, so nothing would come out. input [2, 2, 8, 4] (N, H, W, C), weight [3, 3, 4, 6] (kH, kW, C, O). use a smaller window, or padding of at least 1 on every side.',
  )
  refuses(
    x,
    weight,
    { dilation: [1, 6], padding: 2 },
    `conv2d: a window of width 3 with dilation 6, so 13, does not fit in an input of width 8, 12 with padding, so nothing would come out. ${layouts} use a smaller window, or padding of at least 3 on every side.`,
  )
  refuses(
    x,
    weight,
    { dilation: 2 ** 31 - 1 },
    `conv2d: a window of height 3 with dilation 2147483647, so 4294967295, does not fit in an input of height 8, so nothing would come out. ${layouts} use a smaller window, or padding of at least 2147483644 on every side.`,
  )
  for (const bias of [zeros(5), zeros(6, 1), zeros(1, 6), tensor(1)]) {
    const shown = `[${bias.shape.join(', ')}]`
    refuses(
      x,
      weight,
      { bias },
      `conv2d: the bias must have one number for each of 6 filters, shape [6]. bias ${shown}, ${layouts}`,
    )
  }
})

test('strict refuses a window that does not tile, and names the strides that do', (t) => {
  const [x, weight] = [zeros(1, 7, 7, 1), zeros(3, 3, 1, 1)]
  t.throws(() => conv2d(x, weight, { stride: 3, strict: true }), {
    instanceOf: ShapeError,
    message:
      'conv2d: a window of height 3 and stride 3 does not tile an input of height 7: (7 − 3) / 3 + 1 = 2.33. input [1, 7, 7, 1] (N, H, W, C), weight [3, 3, 1, 1] (kH, kW, C, O). strides that fit: 1, 2, 4.',
  })
  t.deepEqual(conv2d(x, weight, { stride: 3 }).shape, [1, 2, 2, 1])
  for (const stride of [1, 2, 4]) t.notThrows(() => conv2d(x, weight, { stride, strict: true }))
  t.notThrows(() => conv2d(x, weight, { stride: 3, strict: true, padding: 'same' }))
  t.throws(() => conv2d(x, weight, { padding: 2 ** 30, stride: 7, strict: true }), {
    message: /strides that fit: 1, 2, 3, .*2147483652\.$/,
  })
})

test('dtypes that do not fit are named', (t) => {
  const of = (dtype: DType): Tensor => tensor([1], { shape: [1, 1, 1, 1], dtype })
  const refuses = (run: () => Tensor, message: string): void => {
    t.throws(run, { instanceOf: DTypeError, code: 'ERR_DTYPE', message })
  }
  refuses(
    () => conv2d(of('float32'), of('int32')),
    "conv2d: x has dtype float32, but weight has int32. cast one: cast(weight, { dtype: 'float32' })",
  )
  refuses(
    () => conv2d(of('float64'), of('float64'), { bias: tensor([1]) }),
    "conv2d: x has dtype float64, but bias has float32. cast one: cast(bias, { dtype: 'float64' })",
  )
  for (const dtype of ['int32', 'uint8'] as const) {
    refuses(
      () => conv2d(of(dtype), of(dtype)),
      `conv2d: x has dtype ${dtype}, but the op computes on float32 and float64. cast it first: cast(x, { dtype: 'float32' })`,
    )
  }
})

test('an output that no memory holds is a RangeError, and the process lives', async (t) => {
  const x = integers([1, 1, 1, 1], 2)
  const error = t.throws(() => conv2d(x, x, { padding: 2 ** 31 - 1 }), { instanceOf: RangeError })
  t.regex(error!.message, /2\^40 elements|no memory/)
  t.throws(() => conv2d(x, x, { padding: 2 ** 19 - 1 }), { instanceOf: RangeError })
  t.deepEqual(await plain(conv2d(x, x)), [25])
})
