import test from 'ava'
import { backward, sqrt, sum, tensor, variable } from 'ferrograd'
import { testUnary } from '../helpers/unary.js'

testUnary({
  name: 'sqrt',
  op: sqrt,
  reference: Math.sqrt,
  at: [1e-45, 3e38, Infinity, -Infinity],
  smooth: [0.1, 0.5, 0.9, 1.5, 4],
})

test('sqrt has an infinite gradient at 0', async (t) => {
  const x = variable(tensor([0, 4]))
  t.deepEqual(
    await backward(sum(sqrt(x)))
      .get(x)
      .array(),
    [Infinity, 0.25],
  )
})
