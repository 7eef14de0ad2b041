import test from 'ava'
import { backward, clip, sum, tensor, variable } from 'ferrograd'
import { testUnary } from '../helpers/unary.js'

testUnary({
  name: 'clip',
  op: (x) => clip(x, { min: -1, max: 2.25 }),
  reference: (x) => Math.min(Math.max(x, -1), 2.25),
  at: [2.25, 2.2500002, Infinity, -Infinity],
})

test('clip takes one bound, or none', async (t) => {
  const x = tensor([-5, 0, 5])
  t.deepEqual(await clip(x, { min: 1 }).array(), [1, 1, 5])
  t.deepEqual(await clip(x, { max: 1 }).array(), [-5, 0, 1])
  t.deepEqual(await clip(x, {}).array(), [-5, 0, 5])
  t.deepEqual(await clip(x, { min: 2, max: 2 }).array(), [2, 2, 2])
})

test('clip has gradient 1 on its bounds and 0 beyond', async (t) => {
  const x = variable(tensor([-2, -1, 0, 1, 2]))
  t.deepEqual(
    await backward(sum(clip(x, { min: -1, max: 1 })))
      .get(x)
      .array(),
    [0, 1, 1, 1, 0],
  )
})

test('clip refuses bounds that mean nothing', (t) => {
  const x = tensor([1])
  t.throws(() => clip(x, { min: 2, max: 1 }), {
    instanceOf: RangeError,
    code: 'ERR_OUT_OF_RANGE',
    message: 'clip: min 2 is above max 1',
  })
  t.throws(() => clip(x, { min: Number.NaN }), {
    instanceOf: RangeError,
    message: 'clip: min must be a number. got NaN',
  })
  t.throws(() => clip(x, { max: '1' as unknown as number }), { message: 'clip: max must be a number. got "1"' })
})
