import test from 'ava'
import { add, backward, pow, sum, tensor, variable } from 'ferrograd'
import { testBinary } from '../helpers/binary.js'

testBinary({ name: 'pow', op: pow, reference: Math.pow, smooth: (x) => add(x, tensor(1.5, { dtype: 'float64' })) })

test('pow follows IEEE 754 where it is special', async (t) => {
  const a = [0, 0, -0, -0, -2, -2, -2, 1, -1, Number.NaN, 2, 2, Infinity, -Infinity, 0.5]
  const b = [0, -1, -1, 3, 3, 2, 0.5, Number.NaN, Infinity, 0, Infinity, -Infinity, -1, 3, Infinity]
  const expected = [1, Infinity, -Infinity, -0, -8, 4, Number.NaN, 1, 1, 1, Infinity, 0, 0, -Infinity, 0]
  for (const dtype of ['float32', 'float64'] as const) {
    t.deepEqual(await pow(tensor(a, { dtype }), tensor(b, { dtype })).array(), expected, dtype)
  }
})

test('pow has no gradient where the formula is zero times infinity', async (t) => {
  for (const dtype of ['float32', 'float64'] as const) {
    const a = variable(tensor([0, 0, 0, 3], { dtype }))
    const b = variable(tensor([0, 1, 2, 0], { dtype }))
    const gradients = backward(sum(pow(a, b)))
    t.deepEqual(await gradients.get(a).array(), [0, 1, 0, 0])
    const [db0, db1, db2, db3] = (await gradients.get(b).array()) as number[]
    t.deepEqual([db0, db1, db2], [0, 0, 0])
    t.true(Math.abs(db3! - Math.log(3)) < 1e-6)
  }
})
