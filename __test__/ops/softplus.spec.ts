import test from 'ava'
import { softplus, tensor } from 'ferrograd'
import { testUnary } from '../helpers/unary.js'

testUnary({
  name: 'softplus',
  op: softplus,
  reference: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  at: [50, -50, -100, 1000, Infinity, -Infinity],
})

test('softplus keeps its far tail', async (t) => {
  const y = await softplus(tensor([-80])).item()
  t.true(Math.abs(y / Math.exp(-80) - 1) < 1e-6)
})
