import test from 'ava'
import { exp, tensor } from 'ferrograd'
import { testUnary } from '../helpers/unary.js'

testUnary({
  name: 'exp',
  op: exp,
  reference: Math.exp,
  at: [88.5, 89, -87.5, -100, -103.5, -104.5, 1e-30, -1e-40, Infinity, -Infinity],
})

test('exp reaches the ends of float32', async (t) => {
  const y = await exp(tensor([88.72283, 88.72284, -87.33655, -103.9, -104])).array()
  t.deepEqual(
    y,
    [88.72283, 88.72284, -87.33655, -103.9, -104].map((x) => Math.fround(Math.exp(Math.fround(x)))),
  )
})
