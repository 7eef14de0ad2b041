import test from 'ava'
import { tanh, tensor } from 'ferrograd'
import { testUnary } from '../helpers/unary.js'

testUnary({
  name: 'tanh',
  op: tanh,
  reference: Math.tanh,
  at: [1e-10, 1e-4, -0.05, 20, Infinity, -Infinity],
})

test('tanh of what is small is itself', async (t) => {
  t.deepEqual(await tanh(tensor([1e-20, -1e-45, -0])).array(), [Math.fround(1e-20), -1.401298464324817e-45, -0])
})
