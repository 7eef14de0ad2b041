import test from 'ava'
import {
  backward,
  DTypeError,
  gradCheck,
  type MaxoutOptions,
  maxout,
  memory,
  ShapeError,
  scope,
  sum,
  tensor,
  variable,
} from 'ferrograd'
import { numbers } from '../helpers/values.js'

test('maxout takes the largest of consecutive channels', async (t) => {
  const x = tensor([
    [1, 5, 3, 2, 9, 8],
    [0, -1, -2, -3, -4, -5],
  ])
  t.deepEqual(await maxout(x, { pieces: 2 }).array(), [
    [5, 3, 9],
    [0, -2, -4],
  ])
  t.deepEqual(await maxout(x, { pieces: 3 }).array(), [
    [5, 9],
    [0, -3],
  ])
  t.deepEqual(await maxout(x, { pieces: 1 }).array(), await x.array())
  t.deepEqual(maxout(numbers([2, 4, 4, 6]), { pieces: 3 }).shape, [2, 4, 4, 2])
  t.deepEqual(maxout(numbers([0, 4]), { pieces: 2 }).shape, [0, 2])
})

test('maxout has the gradient of finite differences, shared by equals', async (t) => {
  t.true((await gradCheck((x) => maxout(x, { pieces: 2 }), [numbers([3, 2, 4])])).passed)
  const x = variable(tensor([2, 2, 1, 3]))
  t.deepEqual(
    await backward(sum(maxout(x, { pieces: 2 })))
      .get(x)
      .array(),
    [0.5, 0.5, 0, 1],
  )
})

test('maxout leaves one tensor', (t) => {
  scope(() => {
    const x = tensor([1, 2])
    const before = memory().tensors
    maxout(x, { pieces: 2 })
    t.is(memory().tensors, before + 1)
  })
})

test('maxout refuses pieces that do not divide the channels', (t) => {
  t.throws(() => maxout(numbers([2, 7]), { pieces: 2 }), {
    instanceOf: ShapeError,
    message: 'maxout: 7 channels do not make groups of 2. input [2, 7] (..., C)',
  })
  t.throws(() => maxout(tensor(1), { pieces: 1 }), {
    instanceOf: ShapeError,
    message: 'maxout: a tensor without axes has no channels. input [] (..., C)',
  })
  for (const [pieces, shown] of [
    [0, '0'],
    [-2, '-2'],
    [1.5, '1.5'],
    [Number.NaN, 'NaN'],
  ] as const) {
    t.throws(() => maxout(numbers([4]), { pieces }), {
      instanceOf: RangeError,
      message: `maxout: pieces must be a whole number from 1. got ${shown}`,
    })
  }
  t.throws(() => maxout(numbers([4]), {} as MaxoutOptions), {
    instanceOf: TypeError,
    message: 'maxout: pieces must be a whole number from 1. got undefined',
  })
  t.throws(() => maxout(numbers([4]), undefined as unknown as MaxoutOptions), {
    instanceOf: TypeError,
    message: 'maxout: options must be an object with pieces. got undefined',
  })
  t.throws(() => maxout(tensor([1, 2], { dtype: 'int32' }), { pieces: 2 }), {
    instanceOf: DTypeError,
    message:
      "maxout: x has dtype int32, but the op computes on float32 and float64. cast it first: cast(x, { dtype: 'float32' })",
  })
})
