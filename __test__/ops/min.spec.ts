import test from 'ava'
import { backward, min, sum, tensor, variable } from 'ferrograd'
import { testReduction } from '../helpers/reduction.js'

testReduction({ name: 'min', op: min, reference: (xs) => Math.min(...xs), ofNothing: undefined })

test('min passes NaN on, and infinities', async (t) => {
  t.deepEqual(
    await min(
      tensor([
        [1, Number.NaN],
        [Infinity, Infinity],
      ]),
      { axis: 1 },
    ).array(),
    [Number.NaN, Infinity],
  )
})

test('equal smallest share the gradient', async (t) => {
  const x = variable(
    tensor([
      [3, 1, 1],
      [2, 2, 2],
    ]),
  )
  t.deepEqual(
    await backward(sum(min(x, { axis: 0 })))
      .get(x)
      .array(),
    [
      [0, 1, 1],
      [1, 0, 0],
    ],
  )
})
