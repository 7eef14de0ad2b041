// What every function of one number must do.

import test from 'ava'
import { type DType, DTypeError, gradCheck, type Tensor, tensor } from 'ferrograd'
import { assertNear, values } from './values.js'

export interface UnaryCase {
  name: string
  /** What tests are called where an op has several forms. Default: the name. */
  title?: string
  op: (x: Tensor) => Tensor
  /** The definition. */
  reference: (x: number) => number
  /** Where values are compared besides the usual places. */
  at?: number[]
  /** Where gradients are compared with finite differences: away from bends. */
  smooth?: number[]
  /** Of float32 values, relative to the larger of 1 and the value. Default 3e-7. */
  tolerance?: number
}

const usual = [0, 0.25, 0.5, 1, 1.5, 2, 3, 5, 10].flatMap((x) => [x, -x])

/** Registers the tests of one op. */
export function testUnary({ name, title = name, op, reference, at = [], smooth, tolerance = 3e-7 }: UnaryCase): void {
  const inputs = [...usual, ...at, Number.NaN]

  for (const dtype of ['float32', 'float64'] as const) {
    test(`${title} computes its definition in ${dtype}`, async (t) => {
      const x = tensor(inputs, { dtype })
      const y = op(x)
      t.is(y.dtype, dtype)
      const exact = (await values(x)).map(reference).map(dtype === 'float32' ? Math.fround : (v) => v)
      assertNear(t, await values(y), exact, dtype === 'float32' ? tolerance : 1e-12, name)
    })
  }

  test(`${title} gives one thousand elements what it gives each`, async (t) => {
    const xs = Array.from({ length: 1003 }, (_, i) => Math.fround(Math.sin(i) * 4))
    const together = await values(op(tensor(xs, { shape: [17, 59] })))
    const alone = await Promise.all([0, 1, 500, 1000, 1002].map((i) => op(tensor([xs[i]!])).item()))
    t.deepEqual(
      [0, 1, 500, 1000, 1002].map((i) => together[i]),
      alone,
    )
  })

  test(`${title} has the gradient of finite differences`, async (t) => {
    const xs = smooth ?? [-2.5, -1.25, -0.75, -0.3, 0.2, 0.6, 1.1, 2.75]
    const result = await gradCheck(op, [tensor(xs, { dtype: 'float64', shape: [1, xs.length] })])
    t.true(result.passed, `${result.maxRelativeError}`)
  })

  test(`${title} keeps the shape, without elements and without axes too`, async (t) => {
    t.deepEqual(op(tensor([], { shape: [2, 0, 3] })).shape, [2, 0, 3])
    t.deepEqual(await op(tensor([], { shape: [0, 3] })).array(), [])
    t.deepEqual(op(tensor(0.5)).shape, [])
  })

  test(`${title} refuses integers and what is no tensor`, (t) => {
    for (const dtype of ['int32', 'uint8'] as DType[]) {
      t.throws(() => op(tensor([1], { dtype })), {
        instanceOf: DTypeError,
        code: 'ERR_DTYPE',
        message: `${name}: x has dtype ${dtype}, but the op computes on float32 and float64. cast it first: cast(x, { dtype: 'float32' })`,
      })
    }
    const notTensors: [unknown, string][] = [
      [[1, 2], '[1, 2]'],
      [null, 'null'],
      [undefined, 'undefined'],
      [3, '3'],
      ['x', '"x"'],
      [{}, 'an object'],
      [10n, '10n'],
    ]
    for (const [value, shown] of notTensors) {
      t.throws(() => op(value as Tensor), {
        instanceOf: TypeError,
        message: `${name}: x must be a Tensor. got ${shown}. make one with tensor(values)`,
      })
    }
    const gone = tensor([1, 2])
    gone.dispose()
    t.throws(() => op(gone), {
      instanceOf: TypeError,
      code: 'ERR_DISPOSED',
      message: `${name}: x is disposed (it had shape [2]). return it from scope() to keep it, or dispose it later`,
    })
  })
}
