import test from 'ava'
import { tensor, variance } from 'ferrograd'
import { testReduction } from '../helpers/reduction.js'

testReduction({
  name: 'variance',
  op: variance,
  reference: (xs) =>
    xs.reduce((total, x) => total + (x - xs.reduce((a, b) => a + b, 0) / xs.length) ** 2, 0) / xs.length,
  ofNothing: Number.NaN,
})

test('variance of one number is 0, and of numbers far from 0 exact', async (t) => {
  t.is(await variance(tensor([3])).item(), 0)
  t.is(await variance(tensor([4096, 4096.125])).item(), 0.0625 ** 2)
  t.is(await variance(tensor([1e20, -1e20])).item(), Infinity)
  t.is(await variance(tensor([7, 7, 7, 7])).item(), 0)
})
