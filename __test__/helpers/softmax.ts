// What softmax and its logarithm must do.

import test from 'ava'
import {
  type DType,
  DTypeError,
  gradCheck,
  gradients,
  mul,
  ShapeError,
  type SoftmaxOptions,
  sum,
  type Tensor,
  tensor,
} from 'ferrograd'
import { assertNear, numbers, values } from './values.js'

interface Definition {
  name: string
  op: (x: Tensor, options?: SoftmaxOptions) => Tensor
  reference: (row: number[]) => number[]
}

/** Shapes and axes. */
const cases: [number[], number | undefined][] = [
  [[5], undefined],
  [[1], 0],
  [[64, 10], undefined],
  [[64, 10], 0],
  [[3, 40], -1],
  [[2, 1000], 1],
  [[4, 3, 5], 1],
  [[4, 3, 5], -3],
  [[2, 3, 4, 300], 2],
  [[2, 7, 1], 1],
  [[0, 3], 1],
  [[3, 0], 1],
  [[2, 0, 4], 0],
]

/** Puts each row of `data` along `axis` through `change`. */
function alongAxis(
  data: readonly number[],
  shape: readonly number[],
  axis: number,
  change: (row: number[]) => number[],
): number[] {
  const size = shape.at(axis)!
  const inner = shape.slice(shape.length + axis + 1).reduce((product, length) => product * length, 1)
  const result = Array.from(data)
  for (let outer = 0; outer < data.length; outer += size * inner) {
    for (let lane = 0; lane < inner; lane++) {
      const places = Array.from({ length: size }, (_, i) => outer + i * inner + lane)
      change(places.map((at) => data[at]!)).forEach((value, i) => {
        result[places[i]!] = value
      })
    }
  }
  return result
}

/** Registers the tests of one op. */
export function testSoftmax({ name, op, reference }: Definition): void {
  for (const dtype of ['float32', 'float64'] as const) {
    test(`${name} is its definition along any axis, in ${dtype}`, async (t) => {
      for (const [shape, axis] of cases) {
        const x = mul(numbers(shape, 1, dtype), tensor(6, { dtype }))
        const y = axis === undefined ? op(x) : op(x, { axis })
        t.deepEqual(y.shape, shape)
        t.is(y.dtype, dtype)
        const at = axis === undefined ? -1 : axis < 0 ? axis : axis - shape.length
        const expected = alongAxis(await values(x), shape, at, reference)
        assertNear(t, await values(y), expected, dtype === 'float32' ? 5e-7 : 1e-14, `[${shape}] along ${axis}`)
      }
    })

    test(`${name} gives the same gradient in ${dtype} as its float64 reference`, async (t) => {
      for (const [shape, axis = -1] of cases) {
        const dx = (kind: DType) => {
          const [x, dy] = [numbers(shape, 1, kind), numbers(shape, 2, kind)]
          return values(gradients(() => sum(mul(op(x, { axis }), dy)), [x])[0])
        }
        assertNear(t, await dx(dtype), await dx('float64'), 1e-6, `[${shape}] along ${axis}`)
      }
    })
  }

  test(`${name} has the gradient of finite differences`, async (t) => {
    for (const [shape, axis] of [
      [[3, 4], -1],
      [[3, 4], 0],
      [[2, 3, 2], 1],
      [[5], 0],
    ] as const) {
      const result = await gradCheck((x) => op(x, { axis }), [numbers(shape)])
      t.true(result.passed, `[${shape}] along ${axis}: ${result.maxRelativeError}`)
    }
  })

  test(`${name} refuses axes that do not exist, scalars and integers`, (t) => {
    const x = tensor([[1, 2]])
    for (const axis of [2, -3, 2 ** 32]) {
      t.throws(() => op(x, { axis }), {
        instanceOf: ShapeError,
        code: 'ERR_SHAPE',
        message: `${name}: axis ${axis} does not exist. the input has 2 axes: use -2 to 1`,
      })
    }
    for (const axis of [1.5, Number.NaN, Number.POSITIVE_INFINITY, '0'] as number[]) {
      t.throws(() => op(x, { axis }), {
        instanceOf: RangeError,
        code: 'ERR_OUT_OF_RANGE',
        message: `${name}: axis must be a whole number. got ${JSON.stringify(axis) === 'null' ? axis : JSON.stringify(axis)}`,
      })
    }
    t.throws(() => op(tensor(3)), {
      instanceOf: ShapeError,
      message: `${name}: axis -1 does not exist: the input has no axes.`,
    })
    for (const dtype of ['int32', 'uint8'] as DType[]) {
      t.throws(() => op(tensor([1], { dtype })), {
        instanceOf: DTypeError,
        message: `${name}: x has dtype ${dtype}, but the op computes on float32 and float64. cast it first: cast(x, { dtype: 'float32' })`,
      })
    }
    t.throws(() => op([1] as unknown as Tensor), {
      instanceOf: TypeError,
      message: `${name}: x must be a Tensor. got [1]. make one with tensor(values)`,
    })
  })
}
