import test from 'ava'
import { backward, leakyRelu, sum, tensor, variable } from 'ferrograd'
import { testUnary } from '../helpers/unary.js'

testUnary({
  name: 'leakyRelu',
  op: (x) => leakyRelu(x),
  reference: (x) => (x > 0 ? x : 0.2 * x),
  at: [Infinity, -Infinity],
})

test('leakyRelu takes any finite slope', async (t) => {
  t.deepEqual(await leakyRelu(tensor([-4, 2]), { alpha: 0.25 }).array(), [-1, 2])
  t.deepEqual(await leakyRelu(tensor([-4, 2]), { alpha: -1 }).array(), [4, 2])
  const x = variable(tensor([-1, 0, 2]))
  t.deepEqual(
    await backward(sum(leakyRelu(x, { alpha: 0.5 })))
      .get(x)
      .array(),
    [0.5, 0.5, 1],
  )
  for (const [alpha, shown] of [
    [Number.NaN, 'NaN'],
    [Infinity, 'Infinity'],
    ['1', '"1"'],
    [null, 'null'],
  ] as const) {
    t.throws(() => leakyRelu(tensor([1]), { alpha: alpha as number }), {
      instanceOf: RangeError,
      message: `leakyRelu: alpha must be a finite number. got ${shown}`,
    })
  }
})
