import test from 'ava'
import { elu, gradCheck, type Tensor, tensor } from 'ferrograd'
import { testUnary } from '../helpers/unary.js'

testUnary({
  name: 'elu',
  op: (x) => elu(x),
  reference: (x) => (x > 0 ? x : Math.expm1(x)),
  at: [-1e-5, -50, Infinity, -Infinity],
})

test('elu takes any finite scale', async (t) => {
  t.deepEqual(await elu(tensor([-Infinity, 2]), { alpha: 0.5 }).array(), [-0.5, 2])
  const check = (x: Tensor) => elu(x, { alpha: -0.7 })
  t.true((await gradCheck(check, [tensor([-2, -0.5, 1], { dtype: 'float64' })])).passed)
  t.throws(() => elu(tensor([1]), { alpha: Number.NaN }), {
    instanceOf: RangeError,
    message: 'elu: alpha must be a finite number. got NaN',
  })
})
