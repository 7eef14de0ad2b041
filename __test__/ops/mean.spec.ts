import test from 'ava'
import { cast, mean, tensor } from 'ferrograd'
import { testReduction } from '../helpers/reduction.js'

testReduction({
  name: 'mean',
  op: mean,
  reference: (xs) => xs.reduce((total, x) => total + x, 0) / xs.length,
  ofNothing: Number.NaN,
})

test('mean of pixels after a cast does not wrap', async (t) => {
  const x = tensor(new Uint8Array(1000).fill(255))
  t.is(await mean(cast(x, { dtype: 'float32' })).item(), 255)
})
