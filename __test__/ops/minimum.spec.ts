import test from 'ava'
import { backward, minimum, sum, tensor, variable } from 'ferrograd'
import { testBinary } from '../helpers/binary.js'

testBinary({ name: 'minimum', op: minimum, reference: Math.min })

test('minimum passes NaN on and shares the gradient of equals', async (t) => {
  const nan = await minimum(tensor([1, Number.NaN, 2]), tensor([Number.NaN, 1, 3])).array()
  t.deepEqual(nan, [Number.NaN, Number.NaN, 2])
  const [a, b] = [variable(tensor([1, 5, 2])), variable(tensor([3, 5, 1]))]
  const gradients = backward(sum(minimum(a, b)))
  t.deepEqual(await gradients.get(a).array(), [1, 0.5, 0])
  t.deepEqual(await gradients.get(b).array(), [0, 0.5, 1])
})
