import test from 'ava'
import { sub, tensor } from 'ferrograd'
import { testBinary } from '../helpers/binary.js'

testBinary({ name: 'sub', op: sub, reference: (a, b) => a - b })

test('sub gives what one writes by hand', async (t) => {
  t.deepEqual(await sub(tensor(1), tensor([1, 2])).array(), [0, -1])
  t.true(Number.isNaN(await sub(tensor(Infinity), tensor(Infinity)).item()))
})
