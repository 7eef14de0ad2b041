// What every function of two numbers must do.

import test from 'ava'
import { backward, type DType, DTypeError, gradCheck, ShapeError, sum, type Tensor, tensor, variable } from 'ferrograd'
import { assertNear, numbers, values } from './values.js'

export interface BinaryCase {
  name: string
  op: (a: Tensor, b: Tensor) => Tensor
  /** The definition. */
  reference: (a: number, b: number) => number
  /** Of float32 values, relative to the larger of 1 and the value. Default 3e-7. */
  tolerance?: number
  /** Makes operands on which the op is smooth from numbers between -1 and 1. */
  smooth?: (x: Tensor) => Tensor
}

/** Pairs of shapes that broadcast, and what they broadcast to. */
const shapes: [number[], number[], number[]][] = [
  [[], [], []],
  [[2, 3], [], [2, 3]],
  [[], [2, 3], [2, 3]],
  [
    [2, 3],
    [2, 3],
    [2, 3],
  ],
  [[2, 3], [3], [2, 3]],
  [
    [4, 2, 3],
    [2, 1],
    [4, 2, 3],
  ],
  [
    [3, 1],
    [1, 4],
    [3, 4],
  ],
  [
    [2, 1, 3],
    [4, 1],
    [2, 4, 3],
  ],
  [[1, 1, 1, 2], [2], [1, 1, 1, 2]],
  [
    [2, 0, 3],
    [1, 3],
    [2, 0, 3],
  ],
  [[1], [0], [0]],
  [[700, 3], [3], [700, 3]],
]

/** Element `i` of the result comes from these elements of the operands. */
function operand(i: number, shape: readonly number[], of: readonly number[]): number {
  let [at, rest, stride] = [0, i, 1]
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const own = of[axis - shape.length + of.length] ?? 1
    at += (own === 1 ? 0 : rest % shape[axis]!) * stride
    rest = Math.floor(rest / shape[axis]!)
    stride *= own
  }
  return at
}

/** Registers the tests of one op. */
export function testBinary({ name, op, reference, tolerance = 3e-7, smooth = (x) => x }: BinaryCase): void {
  for (const dtype of ['float32', 'float64'] as const) {
    test(`${name} broadcasts in ${dtype}`, async (t) => {
      for (const [shapeA, shapeB, shape] of shapes) {
        const [a, b] = [numbers(shapeA, 1, dtype), numbers(shapeB, 2, dtype)]
        const y = op(a, b)
        t.deepEqual(y.shape, shape)
        t.is(y.dtype, dtype)
        const [as, bs] = [await values(a), await values(b)]
        const exact = Array.from({ length: y.size }, (_, i) =>
          reference(as[operand(i, shape, shapeA)]!, bs[operand(i, shape, shapeB)]!),
        )
        const rounded = dtype === 'float32' ? exact.map(Math.fround) : exact
        const within = dtype === 'float32' ? tolerance : 1e-12
        assertNear(t, await values(y), rounded, within, `${name} of [${shapeA}] and [${shapeB}]`)
      }
    })
  }

  test(`${name} has the gradient of finite differences, summed back over what was repeated`, async (t) => {
    for (const [shapeA, shapeB] of shapes.filter(([a, b]) => numberOf(a) < 100 && numberOf(b) < 100)) {
      const inputs = [smooth(numbers(shapeA, 3)), smooth(numbers(shapeB, 4))]
      const result = await gradCheck(op, inputs)
      t.true(result.passed, `[${shapeA}] and [${shapeB}]: ${result.perInput}`)
    }
  })

  test(`${name} of a tensor with itself has both gradients`, async (t) => {
    const result = await gradCheck((x) => op(x, x), [smooth(numbers([5], 5))])
    // Where the operands are always equal, ops with a bend there have none: y = x.
    t.true(result.passed, `${result.perInput}`)
  })

  test(`${name} computes only the gradients that are wanted`, async (t) => {
    const b = variable(numbers([3], 6, 'float32'))
    const gradients = backward(sum(op(numbers([2, 3], 7, 'float32'), b)))
    t.deepEqual(gradients.get(b).shape, [3])
    t.true((await values(gradients.get(b))).every((v) => !Number.isNaN(v) || name === 'pow'))
  })

  test(`${name} refuses shapes and dtypes that do not meet`, (t) => {
    t.throws(() => op(numbers([2, 3]), numbers([4, 3])), {
      instanceOf: ShapeError,
      code: 'ERR_SHAPE',
      message: `${name}: sizes 2 and 4 do not broadcast. a [2, 3], b [4, 3]. counted from the last axis, sizes must be equal or one of them 1`,
    })
    t.throws(() => op(numbers([2]), numbers([0])), { instanceOf: ShapeError })
    t.throws(() => op(numbers([2]), numbers([2], 1, 'float32')), {
      instanceOf: DTypeError,
      message: `${name}: a has dtype float64, but b has float32. cast one: cast(b, { dtype: 'float64' })`,
    })
    for (const dtype of ['int32', 'uint8'] as DType[]) {
      t.throws(() => op(tensor([1], { dtype }), tensor([1], { dtype })), {
        instanceOf: DTypeError,
        message: `${name}: a has dtype ${dtype}, but the op computes on float32 and float64. cast it first: cast(a, { dtype: 'float32' })`,
      })
      t.throws(() => op(tensor([1]), tensor([1], { dtype })), {
        instanceOf: DTypeError,
        message: `${name}: b has dtype ${dtype}, but the op computes on float32 and float64. cast it first: cast(b, { dtype: 'float32' })`,
      })
    }
    t.throws(() => op(tensor([1]), 2 as unknown as Tensor), {
      instanceOf: TypeError,
      message: `${name}: b must be a Tensor. got 2. make one with tensor(values)`,
    })
    t.throws(() => op(null as unknown as Tensor, tensor([1])), {
      instanceOf: TypeError,
      message: `${name}: a must be a Tensor. got null. make one with tensor(values)`,
    })
  })

  test(`${name} works on 33 axes and refuses a result that no memory holds`, (t) => {
    const deep = tensor([1, 2], { shape: [...Array(32).fill(1), 2] })
    t.is(op(deep, deep).shape.length, 33)
    const [tall, wide] = [numbers([2 ** 21, 1], 1, 'float32'), numbers([1, 2 ** 21], 1, 'float32')]
    t.throws(() => op(tall, wide), { instanceOf: RangeError })
    tall.dispose()
    wide.dispose()
  })
}

function numberOf(shape: readonly number[]): number {
  return shape.reduce((product, dimension) => product * dimension, 1)
}
