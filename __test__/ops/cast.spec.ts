import test from 'ava'
import {
  backward,
  cast,
  type DType,
  GradientError,
  gradCheck,
  memory,
  sum,
  type Tensor,
  tensor,
  variable,
} from 'ferrograd'
import { numbers, values } from '../helpers/values.js'

test('cast cuts fractions off, stops at the ends and makes NaN 0', async (t) => {
  const odd = [1.9, -1.9, Number.NaN, 1e20, -1e20, 255.5, Infinity, -Infinity, -0.5]
  for (const dtype of ['float32', 'float64'] as const) {
    const x = tensor(odd, { dtype })
    const most = 2 ** 31 - 1
    t.deepEqual(await values(cast(x, { dtype: 'int32' })), [1, -1, 0, most, -(2 ** 31), 255, most, -(2 ** 31), 0])
    t.deepEqual(await values(cast(x, { dtype: 'uint8' })), [1, 0, 0, 255, 0, 255, 255, 0, 0])
  }
  t.deepEqual(await values(cast(tensor([300, -1], { dtype: 'int32' }), { dtype: 'uint8' })), [44, 255])
  t.is(await cast(tensor(1e300, { dtype: 'float64' }), { dtype: 'float32' }).item(), Infinity)
  t.is(await cast(tensor(16_777_217, { dtype: 'int32' }), { dtype: 'float32' }).item(), 16_777_216)
})

test('cast goes from every dtype to every other', async (t) => {
  const all: DType[] = ['float32', 'float64', 'int32', 'uint8']
  for (const from of all) {
    for (const to of all) {
      const y = cast(
        tensor(
          [
            [0, 1],
            [200, 7],
          ],
          { dtype: from },
        ),
        { dtype: to },
      )
      t.is(y.dtype, to)
      t.deepEqual(await y.array(), [
        [0, 1],
        [200, 7],
      ])
    }
  }
  t.deepEqual(cast(tensor([], { shape: [0, 3] }), { dtype: 'int32' }).shape, [0, 3])
})

test('cast to the same dtype shares memory', async (t) => {
  const x = tensor([1, 2])
  const before = memory().tensors
  const y = cast(x, { dtype: 'float32' })
  t.is(memory().tensors, before)
  x.dispose()
  t.deepEqual(await y.array(), [1, 2])
})

test('the gradient passes between floats and stops at integers', async (t) => {
  const x = variable(tensor([1.5, 2.5]))
  const gradient = backward(sum(cast(x, { dtype: 'float64' }))).get(x)
  t.is(gradient.dtype, 'float32')
  t.deepEqual(await gradient.array(), [1, 1])
  t.true((await gradCheck((x) => cast(x, { dtype: 'float64' }), [numbers([3])])).passed)
  const whole = cast(x, { dtype: 'int32' })
  t.throws(() => backward(sum(cast(whole, { dtype: 'float32' }))), { instanceOf: GradientError })
})

test('cast refuses what is no dtype', (t) => {
  const x = tensor([1])
  for (const [dtype, shown] of [
    ['float16', '"float16"'],
    [undefined, 'undefined'],
    [3, '3'],
    ['__proto__', '"__proto__"'],
  ] as const) {
    t.throws(() => cast(x, { dtype: dtype as DType }), {
      instanceOf: TypeError,
      message: `cast: dtype must be 'float32', 'float64', 'int32' or 'uint8'. got ${shown}`,
    })
  }
  t.throws(() => cast(x, 'int32' as unknown as { dtype: DType }), {
    instanceOf: TypeError,
    message: 'cast: options must be an object with dtype. got "int32"',
  })
  t.throws(() => cast(1 as unknown as Tensor, { dtype: 'int32' }), {
    message: 'cast: x must be a Tensor. got 1. make one with tensor(values)',
  })
})
