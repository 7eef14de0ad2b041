import test from 'ava'
import { backward, relu, sum, tensor, variable } from 'ferrograd'
import { testUnary } from '../helpers/unary.js'

testUnary({
  name: 'relu',
  op: relu,
  reference: (x) => Math.max(x, 0),
  at: [Infinity, -Infinity, 1e-45],
})

test('relu has no gradient at 0', async (t) => {
  const x = variable(tensor([-1, 0, 2]))
  t.deepEqual(
    await backward(sum(relu(x)))
      .get(x)
      .array(),
    [0, 0, 1],
  )
})
