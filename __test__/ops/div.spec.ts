import test from 'ava'
import { add, div, tensor } from 'ferrograd'
import { testBinary } from '../helpers/binary.js'

testBinary({ name: 'div', op: div, reference: (a, b) => a / b, smooth: (x) => add(x, tensor(2, { dtype: 'float64' })) })

test('div by zero follows IEEE 754', async (t) => {
  t.deepEqual(await div(tensor([1, -1, 0]), tensor(0)).array(), [Infinity, -Infinity, Number.NaN])
  t.is(await div(tensor(1), tensor(3)).item(), Math.fround(1 / 3))
})
