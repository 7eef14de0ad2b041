// What every reduction must do.

import test from 'ava'
import { type DType, DTypeError, gradCheck, type ReduceOptions, ShapeError, type Tensor, tensor } from 'ferrograd'
import { assertNear, numbers, values } from './values.js'

export interface ReductionCase {
  name: string
  op: (x: Tensor, options?: ReduceOptions) => Tensor
  /** The definition, of the elements that make one result. */
  reference: (elements: number[]) => number
  /** What nothing reduces to; undefined: an error. */
  ofNothing: number | undefined
  /** Whether the result has the dtype of the input and a gradient. Default true. */
  float?: boolean
}

/** Shapes and axes: none, one, several, negative, all, with axes of size 1. */
const cases: [number[], ReduceOptions['axis'], number[]][] = [
  [[], undefined, []],
  [[5], undefined, []],
  [[5], 0, []],
  [[2, 3], undefined, []],
  [[2, 3], 0, [3]],
  [[2, 3], 1, [2]],
  [[2, 3], -1, [2]],
  [[2, 3], [], [2, 3]],
  [[2, 3], [0, 1], []],
  [[2, 3], [-1, 0], []],
  [[4, 3, 2], 1, [4, 2]],
  [[4, 3, 2], [0, 2], [3]],
  [
    [2, 3, 4, 5],
    [1, 2],
    [2, 5],
  ],
  [
    [2, 3, 4, 5],
    [0, -1],
    [3, 4],
  ],
  [[2, 1, 3], 1, [2, 3]],
  [[300, 3], 0, [3]],
  [[3, 300], 1, [3]],
  [[3, 0], 0, [0]],
]

/** The elements that make each result. */
function groups(data: number[], shape: readonly number[], axis: ReduceOptions['axis'], count: number): number[][] {
  const rank = shape.length
  const list = axis === undefined ? shape.map((_, i) => i) : Array.isArray(axis) ? axis : [axis]
  const gone = new Set((list as number[]).map((one) => (one < 0 ? one + rank : one)))
  const result: number[][] = Array.from({ length: count }, () => [])
  data.forEach((value, i) => {
    let [at, rest, stride] = [0, i, 1]
    for (let d = rank - 1; d >= 0; d--) {
      if (!gone.has(d)) {
        at += (rest % shape[d]!) * stride
        stride *= shape[d]!
      }
      rest = Math.floor(rest / shape[d]!)
    }
    result[at]!.push(value)
  })
  return result
}

/** Registers the tests of one op. */
export function testReduction({ name, op, reference, ofNothing, float = true }: ReductionCase): void {
  for (const dtype of ['float32', 'float64'] as const) {
    test(`${name} reduces any axes in ${dtype}`, async (t) => {
      for (const [shape, axis, result] of cases) {
        const x = numbers(shape, 1, dtype)
        const y = op(x, { axis })
        t.deepEqual(y.shape, result, `[${shape}] along ${axis}`)
        t.is(y.dtype, float ? dtype : 'int32')
        const exact = groups(await values(x), shape, axis, y.size).map(reference)
        const tolerance = dtype === 'float32' ? 2e-7 : 1e-12
        assertNear(t, await values(y), exact, tolerance, `${name} of [${shape}] along ${axis}`)
      }
    })
  }

  test(`${name} keeps reduced axes with size 1 when asked`, async (t) => {
    const x = numbers([2, 3, 4])
    t.deepEqual(op(x, { axis: [0, -1], keepDims: true }).shape, [1, 3, 1])
    t.deepEqual(op(x, { keepDims: true }).shape, [1, 1, 1])
    t.deepEqual(await values(op(x, { axis: 1, keepDims: true })), await values(op(x, { axis: 1 })))
  })

  if (float) {
    test(`${name} has the gradient of finite differences`, async (t) => {
      for (const [shape, axis] of cases.filter(([shape]) => !shape.includes(300))) {
        for (const keepDims of [false, true]) {
          const result = await gradCheck((x) => op(x, { axis, keepDims }), [numbers(shape, 2)])
          t.true(result.passed, `[${shape}] along ${axis}: ${result.maxRelativeError}`)
        }
      }
    })

    test(`${name} refuses integers`, (t) => {
      for (const dtype of ['int32', 'uint8'] as DType[]) {
        t.throws(() => op(tensor([1], { dtype })), {
          instanceOf: DTypeError,
          message: `${name}: x has dtype ${dtype}, but the op computes on float32 and float64. cast it first: cast(x, { dtype: 'float32' })`,
        })
      }
    })
  }

  test(`${name} of nothing`, async (t) => {
    const nothing = tensor([], { shape: [2, 0] })
    if (ofNothing === undefined) {
      t.throws(() => op(nothing, { axis: 1 }), {
        instanceOf: ShapeError,
        message: `${name}: there is nothing to choose from: the reduced axes of input [2, 0] have no elements`,
      })
      t.throws(() => op(nothing), { instanceOf: ShapeError })
    } else {
      t.deepEqual(await values(op(nothing, { axis: 1 })), [ofNothing, ofNothing])
      t.deepEqual(await values(op(nothing)), [ofNothing])
    }
  })

  test(`${name} refuses axes that do not exist`, (t) => {
    const x = numbers([2, 3])
    for (const axis of [2, -3, 2 ** 32]) {
      t.throws(() => op(x, { axis }), {
        instanceOf: ShapeError,
        message: `${name}: axis ${axis} does not exist. the input has 2 axes: use -2 to 1`,
      })
    }
    t.throws(() => op(tensor(1), { axis: 0 }), {
      instanceOf: ShapeError,
      message: `${name}: axis 0 does not exist: the input has no axes.`,
    })
    const odd: [unknown, string][] = [
      [Number.NaN, 'NaN'],
      [1.5, '1.5'],
      ['0', '"0"'],
      [null, 'null'],
      [1n, '1n'],
      [{}, 'an object'],
    ]
    for (const [axis, shown] of odd) {
      t.throws(() => op(x, { axis: axis as number }), {
        instanceOf: RangeError,
        message: `${name}: axis must be a whole number. got ${shown}`,
      })
    }
    t.throws(() => op(x, { axis: [0, -2] }), {
      instanceOf: ShapeError,
      message: `${name}: axis 0 is named twice. axis [0, -2], input [2, 3]`,
    })
    t.throws(() => op(x, { keepDims: 1 as unknown as boolean }), {
      instanceOf: TypeError,
      message: `${name}: keepDims must be a boolean. got 1`,
    })
    t.throws(() => op(x, 1 as unknown as ReduceOptions), {
      instanceOf: TypeError,
      message: `${name}: options must be an object. got 1`,
    })
    t.throws(() => op([1] as unknown as Tensor), {
      instanceOf: TypeError,
      message: `${name}: x must be a Tensor. got [1]. make one with tensor(values)`,
    })
  })
}
