import test from 'ava'
import { mul, tensor } from 'ferrograd'
import { testBinary } from '../helpers/binary.js'

testBinary({ name: 'mul', op: mul, reference: (a, b) => a * b })

test('mul gives what one writes by hand', async (t) => {
  t.deepEqual(await mul(tensor([[1], [2]]), tensor([3, 4])).array(), [
    [3, 4],
    [6, 8],
  ])
  t.true(Number.isNaN(await mul(tensor(0), tensor(Infinity)).item()))
})
