// Pooling written down plainly, and what both poolings must do.

import test from 'ava'
import {
  type DType,
  DTypeError,
  gradCheck,
  gradients,
  mul,
  type Pool2dOptions,
  ShapeError,
  sum,
  type Tensor,
  tensor,
} from 'ferrograd'
import { assertNear, numbers, values } from './values.js'

export type Images = readonly [number, number, number, number]

interface Axis {
  kernel: number
  stride: number
  dilation: number
  before: number
  after: number
}

export interface PoolCase {
  images: Images
  options: Pool2dOptions
  height: Axis
  width: Axis
}

const axis = (kernel: number, stride = kernel, dilation = 1, before = 0, after = 0): Axis => ({
  kernel,
  stride,
  dilation,
  before,
  after,
})

/** Options and, worked out by hand, what they mean. */
export const poolCases: PoolCase[] = [
  { images: [2, 4, 6, 3], options: { size: 2 }, height: axis(2), width: axis(2) },
  { images: [1, 5, 5, 1], options: { size: 2 }, height: axis(2), width: axis(2) },
  { images: [1, 5, 7, 20], options: { size: [2, 3] }, height: axis(2), width: axis(3) },
  { images: [2, 7, 7, 5], options: { size: 3, stride: 2 }, height: axis(3, 2), width: axis(3, 2) },
  { images: [1, 6, 6, 33], options: { size: 3, stride: [1, 2] }, height: axis(3, 1), width: axis(3, 2) },
  {
    images: [1, 5, 6, 2],
    options: { size: 3, stride: 1, padding: 'same' },
    height: axis(3, 1, 1, 1, 1),
    width: axis(3, 1, 1, 1, 1),
  },
  {
    images: [1, 5, 4, 17],
    options: { size: 2, padding: 'same' },
    height: axis(2, 2, 1, 0, 1),
    width: axis(2),
  },
  {
    images: [2, 4, 4, 3],
    options: { size: 3, stride: 2, padding: 1 },
    height: axis(3, 2, 1, 1, 1),
    width: axis(3, 2, 1, 1, 1),
  },
  {
    images: [1, 5, 5, 4],
    options: {
      size: 3,
      stride: 2,
      padding: [
        [2, 1],
        [0, 2],
      ],
    },
    height: axis(3, 2, 1, 2, 1),
    width: axis(3, 2, 1, 0, 2),
  },
  {
    images: [1, 7, 8, 6],
    options: { size: 2, stride: 1, dilation: [3, 2] },
    height: axis(2, 1, 3),
    width: axis(2, 1, 2),
  },
  {
    images: [1, 4, 5, 2],
    options: { size: 3, stride: 3, dilation: 2, padding: 2 },
    height: axis(3, 3, 2, 2, 2),
    width: axis(3, 3, 2, 2, 2),
  },
  { images: [1, 3, 3, 2], options: { size: 1, stride: 5 }, height: axis(1, 5), width: axis(1, 5) },
  { images: [1, 20, 18, 3], options: { size: [20, 18] }, height: axis(20), width: axis(18) },
]

/** Calls `visit(output element, input elements)` for each window of each channel. */
export function eachWindow(pool: PoolCase, visit: (to: number, cells: number[]) => void): readonly number[] {
  const [n, h, w, c] = pool.images
  const size = (length: number, { kernel, stride, dilation, before, after }: Axis) =>
    Math.floor((length + before + after - ((kernel - 1) * dilation + 1)) / stride) + 1
  const [rows, columns] = [size(h, pool.height), size(w, pool.width)]
  const taps = (at: number, length: number, { kernel, stride, dilation, before }: Axis) =>
    Array.from({ length: kernel }, (_, tap) => at * stride - before + tap * dilation).filter(
      (i) => i >= 0 && i < length,
    )
  for (let image = 0; image < n; image++) {
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        for (let channel = 0; channel < c; channel++) {
          const cells = taps(row, h, pool.height).flatMap((y) =>
            taps(column, w, pool.width).map((x) => ((image * h + y) * w + x) * c + channel),
          )
          visit(((image * rows + row) * columns + column) * c + channel, cells)
        }
      }
    }
  }
  return [n, rows, columns, c]
}

interface Definition {
  name: string
  op: (x: Tensor, options: Pool2dOptions) => Tensor
  /** The result from the cells of a window. */
  forward: (cells: number[]) => number
  /** The share of dy that each cell gets. */
  shares: (cells: number[]) => number[]
  /** How much float32 may differ from the definition. */
  tolerance: number
}

/** Whole numbers from -4 to 4, with many ties. */
const whole = (size: number, seed: number) =>
  Array.from({ length: size }, (_, i) => Math.round(4 * Math.sin(12.9898 * (i + 1) + 78.233 * seed)))

/** Registers the tests that hold for both poolings. */
export function testPooling({ name, op, forward, shares, tolerance }: Definition): void {
  for (const dtype of ['float32', 'float64'] as const) {
    test(`${name} and its gradient are what the definition says, in ${dtype}`, async (t) => {
      for (const pool of poolCases) {
        const what = JSON.stringify(pool.options)
        const cells = whole(
          pool.images.reduce((product, size) => product * size),
          1,
        )
        const expected: number[] = []
        const shape = eachWindow(pool, (to, from) => {
          expected[to] = forward(from.map((i) => cells[i]!))
        })
        const upstream = whole(expected.length, 2)
        const expectedGradient = cells.map(() => 0)
        eachWindow(pool, (to, from) => {
          shares(from.map((i) => cells[i]!)).forEach((share, i) => {
            expectedGradient[from[i]!]! += upstream[to]! * share
          })
        })
        const x = tensor(cells, { shape: pool.images, dtype })
        const y = op(x, pool.options)
        t.deepEqual(y.shape, shape, what)
        t.is(y.dtype, dtype)
        const within = dtype === 'float32' ? tolerance : 1e-14
        assertNear(t, await values(y), expected, within, what)
        const dy = tensor(upstream, { shape, dtype })
        const [dx] = gradients(() => sum(mul(op(x, pool.options), dy)), [x])
        assertNear(t, await values(dx), expectedGradient, within && 4 * within, `gradient, ${what}`)
      }
    })
  }

  test(`${name} has the gradient of finite differences`, async (t) => {
    for (const { images, options } of poolCases.slice(0, 11)) {
      const [, h, w] = images
      const result = await gradCheck((x) => op(x, options), [numbers([1, h, w, 2])])
      t.true(result.passed, `${JSON.stringify(options)}: ${result.maxRelativeError}`)
    }
  })

  test(`${name} of no images and of no channels is empty, backward too`, async (t) => {
    for (const shape of [
      [0, 4, 4, 3],
      [2, 4, 4, 0],
    ]) {
      const x = tensor([], { shape })
      t.deepEqual(op(x, { size: 2 }).shape, [shape[0]!, 2, 2, shape[3]!])
      t.deepEqual(await values(op(x, { size: 2 })), [])
      const [dx] = gradients(() => sum(op(x, { size: 2 })), [x])
      t.deepEqual(dx.shape, shape)
      t.deepEqual(await values(dx), [])
    }
  })

  test(`${name} refuses what cannot be, and says what`, (t) => {
    const x = numbers([1, 5, 6, 2], 1, 'float32')
    const images = 'input [1, 5, 6, 2] (N, H, W, C)'
    const whole = 'must be a whole number from'
    const forms = "must be 'valid', 'same', a number or [[top, bottom], [left, right]]"
    const cases: [unknown, new (message?: string) => Error, string, string][] = [
      [{ size: 0 }, RangeError, 'ERR_OUT_OF_RANGE', `size ${whole} 1 to 2^31 - 1. got 0`],
      [{ size: -2 }, RangeError, 'ERR_OUT_OF_RANGE', `size ${whole} 1 to 2^31 - 1. got -2`],
      [{ size: 1.5 }, RangeError, 'ERR_OUT_OF_RANGE', `size ${whole} 1 to 2^31 - 1. got 1.5`],
      [{ size: Number.NaN }, RangeError, 'ERR_OUT_OF_RANGE', `size ${whole} 1 to 2^31 - 1. got NaN`],
      [{ size: 2 ** 53 }, RangeError, 'ERR_OUT_OF_RANGE', `size ${whole} 1 to 2^31 - 1. got 9007199254740992`],
      [{ size: '2' }, TypeError, 'ERR_INVALID_ARG_TYPE', `size ${whole} 1. got "2"`],
      [{}, TypeError, 'ERR_INVALID_ARG_TYPE', `size ${whole} 1. got undefined`],
      [undefined, TypeError, 'ERR_INVALID_ARG_TYPE', `size ${whole} 1. got undefined`],
      [{ size: [2, 0] }, RangeError, 'ERR_OUT_OF_RANGE', `size (width) ${whole} 1 to 2^31 - 1. got 0`],
      [
        { size: [1, 2, 3] },
        RangeError,
        'ERR_OUT_OF_RANGE',
        'size must be a number or [height, width]. got [1, 2, 3], which has 3',
      ],
      [
        { size: 6 },
        ShapeError,
        'ERR_SHAPE',
        `a window of height 6 does not fit in an input of height 5, so nothing would come out. ${images}. use a smaller window, or padding of at least 1 on every side.`,
      ],
      [
        { size: 2 ** 31 - 1 },
        ShapeError,
        'ERR_SHAPE',
        `a window of height 2147483647 does not fit in an input of height 5, so nothing would come out. ${images}. use a smaller window, or padding of at least 1073741821 on every side.`,
      ],
      [
        { size: 3, dilation: 4 },
        ShapeError,
        'ERR_SHAPE',
        `a window of height 3 with dilation 4, so 9, does not fit in an input of height 5, so nothing would come out. ${images}. use a smaller window, or padding of at least 2 on every side.`,
      ],
      [{ size: 2, stride: 0 }, RangeError, 'ERR_OUT_OF_RANGE', `stride ${whole} 1 to 2^31 - 1. got 0`],
      [{ size: 2, stride: -1 }, RangeError, 'ERR_OUT_OF_RANGE', `stride ${whole} 1 to 2^31 - 1. got -1`],
      [
        { size: 2, stride: 2 ** 40 },
        RangeError,
        'ERR_OUT_OF_RANGE',
        `stride ${whole} 1 to 2^31 - 1. got 1099511627776`,
      ],
      [{ size: 2, dilation: 0 }, RangeError, 'ERR_OUT_OF_RANGE', `dilation ${whole} 1 to 2^31 - 1. got 0`],
      [{ size: 2, dilation: -3 }, RangeError, 'ERR_OUT_OF_RANGE', `dilation ${whole} 1 to 2^31 - 1. got -3`],
      [{ size: 2, padding: -1 }, RangeError, 'ERR_OUT_OF_RANGE', `padding ${whole} 0 to 2^31 - 1. got -1`],
      [{ size: 2, padding: 'full' }, TypeError, 'ERR_INVALID_ARG_TYPE', `padding ${forms}. got "full"`],
      [{ size: 2, padding: [1, 1] }, RangeError, 'ERR_OUT_OF_RANGE', `padding ${forms}. got [1, 1]`],
      [
        { size: 2, padding: 2 },
        ShapeError,
        'ERR_SHAPE',
        `window 0 of 4 along the height stands on padding alone (2 before and 2 behind, window 2, stride 2, dilation 1). ${images}. use less padding.`,
      ],
      [
        {
          size: 2,
          padding: [
            [0, 0],
            [0, 4],
          ],
        },
        ShapeError,
        'ERR_SHAPE',
        `window 3 of 5 along the width stands on padding alone (0 before and 4 behind, window 2, stride 2, dilation 1). ${images}. use less padding.`,
      ],
      [
        { size: 2, padding: 2 ** 31 - 1, stride: 2 ** 30 },
        ShapeError,
        'ERR_SHAPE',
        `window 0 of 5 along the height stands on padding alone (2147483647 before and 2147483647 behind, window 2, stride 1073741824, dilation 1). ${images}. use less padding.`,
      ],
      [
        { size: 2, strict: true },
        ShapeError,
        'ERR_SHAPE',
        `a window of height 2 and stride 2 does not tile an input of height 5: (5 − 2) / 2 + 1 = 2.50. ${images}. strides that fit: 1, 3.`,
      ],
    ]
    for (const [options, instanceOf, code, message] of cases) {
      t.throws(() => op(x, options as Pool2dOptions), { instanceOf, code, message: `${name}: ${message}` })
    }
  })

  test(`${name} refuses images of another rank, size or dtype`, (t) => {
    for (const shape of [[], [6], [2, 3], [4, 4, 3], [1, 4, 4, 3, 1], [1, 1, 4, 4, 3, 1]]) {
      t.throws(() => op(numbers(shape, 1, 'float32'), { size: 1 }), {
        instanceOf: ShapeError,
        code: 'ERR_SHAPE',
        message: `${name}: the input must have 4 axes, not ${shape.length}. input [${shape.join(', ')}] (N, H, W, C).`,
      })
    }
    t.throws(() => op(tensor([], { shape: [1, 0, 4, 3] }), { size: 1 }), {
      instanceOf: ShapeError,
      message: `${name}: the height of the input is 0. input [1, 0, 4, 3] (N, H, W, C).`,
    })
    t.throws(() => op(tensor([], { shape: [1, 4, 0, 3] }), { size: 1, padding: 1 }), {
      instanceOf: ShapeError,
      message: `${name}: the width of the input is 0. input [1, 4, 0, 3] (N, H, W, C).`,
    })
    // One row under a window of two taps that straddles it.
    t.throws(
      () => op(numbers([1, 1, 4, 1], 1, 'float32'), { size: [2, 1], dilation: [2, 1], padding: 'same', stride: 1 }),
      {
        instanceOf: ShapeError,
        message: `${name}: window 0 of 1 along the height stands on padding alone (1 before and 1 behind, window 2, stride 1, dilation 2). input [1, 1, 4, 1] (N, H, W, C). use less padding.`,
      },
    )
    for (const dtype of ['int32', 'uint8'] as DType[]) {
      t.throws(() => op(tensor([1], { shape: [1, 1, 1, 1], dtype }), { size: 1 }), {
        instanceOf: DTypeError,
        code: 'ERR_DTYPE',
        message: `${name}: x has dtype ${dtype}, but the op computes on float32 and float64. cast it first: cast(x, { dtype: 'float32' })`,
      })
    }
    t.throws(() => op([1] as unknown as Tensor, { size: 1 }), {
      instanceOf: TypeError,
      message: `${name}: x must be a Tensor. got [1]. make one with tensor(values)`,
    })
  })
}
