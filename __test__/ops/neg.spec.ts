import test from 'ava'
import { neg, tensor } from 'ferrograd'
import { testUnary } from '../helpers/unary.js'

testUnary({
  name: 'neg',
  op: neg,
  reference: (x) => -x,
})

test('neg turns the sign of zero', async (t) => {
  t.deepEqual(await neg(tensor([0, -0])).array(), [-0, 0])
})
