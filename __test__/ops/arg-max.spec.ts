import test from 'ava'
import { argMax, backward, cast, GradientError, tensor, variable } from 'ferrograd'
import { testReduction } from '../helpers/reduction.js'

testReduction({
  name: 'argMax',
  op: argMax,
  reference: (xs) => xs.indexOf(Math.max(...xs)),
  ofNothing: undefined,
  float: false,
})

test('argMax takes the first of equals, and the first NaN', async (t) => {
  const x = tensor([
    [1, 3, 3],
    [Number.NaN, 5, Number.NaN],
    [-Infinity, -Infinity, -Infinity],
    [1, 2, Number.NaN],
  ])
  for (const dtype of ['float32', 'float64'] as const) {
    t.deepEqual(await argMax(cast(x, { dtype }), { axis: 1 }).array(), [1, 0, 0, 2])
  }
  t.is(await argMax(x).item(), 3)
})

test('argMax takes every dtype and gives int32', async (t) => {
  for (const dtype of ['int32', 'uint8'] as const) {
    const y = argMax(
      tensor(
        [
          [1, 9, 2],
          [200, 9, 2],
        ],
        { dtype },
      ),
      { axis: 1 },
    )
    t.is(y.dtype, 'int32')
    t.deepEqual(await y.array(), [1, 0])
  }
})

test('argMax has no gradient', (t) => {
  const x = variable(tensor([1, 2]))
  t.throws(() => backward(cast(argMax(x), { dtype: 'float32' })), { instanceOf: GradientError })
})
