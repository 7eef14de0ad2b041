import test from 'ava'
import { backward, max, sum, tensor, variable } from 'ferrograd'
import { testReduction } from '../helpers/reduction.js'

testReduction({ name: 'max', op: max, reference: (xs) => Math.max(...xs), ofNothing: undefined })

test('max passes NaN on, and infinities', async (t) => {
  t.deepEqual(
    await max(
      tensor([
        [1, Number.NaN],
        [-Infinity, -Infinity],
      ]),
      { axis: 1 },
    ).array(),
    [Number.NaN, -Infinity],
  )
})

test('equal largest share the gradient', async (t) => {
  const x = variable(
    tensor([
      [3, 1, 3],
      [2, 2, 2],
    ]),
  )
  t.deepEqual(
    await backward(sum(max(x, { axis: 1 })))
      .get(x)
      .array(),
    [[0.5, 0, 0.5], [1, 1, 1].map((v) => Math.fround(v / 3))],
  )
})
