import test from 'ava'
import { sigmoid, tensor } from 'ferrograd'
import { testUnary } from '../helpers/unary.js'

testUnary({
  name: 'sigmoid',
  op: sigmoid,
  reference: (x) => 1 / (1 + Math.exp(-x)),
  at: [40, -40, -90, 100, Infinity, -Infinity],
})

test('sigmoid keeps its far tail', async (t) => {
  const y = await sigmoid(tensor([-80])).item()
  t.true(Math.abs(y / Math.exp(-80) - 1) < 1e-6)
})
