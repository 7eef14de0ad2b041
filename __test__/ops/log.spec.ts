import test from 'ava'
import { log, tensor } from 'ferrograd'
import { testUnary } from '../helpers/unary.js'

testUnary({
  name: 'log',
  op: log,
  reference: Math.log,
  at: [1e-45, 1e-38, 3e38, 0.999999, 1.000001, Infinity, -Infinity],
  smooth: [0.1, 0.5, 0.9, 1.5, 4],
})

test('log of 0 is -Infinity and of what is below NaN', async (t) => {
  t.deepEqual(await log(tensor([0, -0, -1, 1])).array(), [-Infinity, -Infinity, Number.NaN, 0])
})
