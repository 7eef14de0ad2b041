import test from 'ava'
import { abs, backward, sum, tensor, variable } from 'ferrograd'
import { testUnary } from '../helpers/unary.js'

testUnary({
  name: 'abs',
  op: abs,
  reference: Math.abs,
})

test('abs has gradient 0 at 0', async (t) => {
  const x = variable(tensor([-2, 0, -0, 3]))
  t.deepEqual(
    await backward(sum(abs(x)))
      .get(x)
      .array(),
    [-1, 0, 0, 1],
  )
})
