import test from 'ava'
import { DTypeError, memory, type OneHotOptions, oneHot, tensor } from 'ferrograd'
import { runChild } from '../helpers/child.js'

test('oneHot puts a one at each index', async (t) => {
  t.deepEqual(await oneHot([1, 0, 2], { depth: 3 }).array(), [
    [0, 1, 0],
    [1, 0, 0],
    [0, 0, 1],
  ])
  const labels = tensor([[1], [0]], { dtype: 'int32' })
  t.deepEqual(await oneHot(labels, { depth: 2 }).array(), [[[0, 1]], [[1, 0]]])
  const y = oneHot(tensor(new Uint8Array([1])), { depth: 2, dtype: 'float64' })
  t.is(y.dtype, 'float64')
  t.deepEqual(await y.array(), [[0, 1]])
  t.deepEqual(await oneHot(tensor(1, { dtype: 'int32' }), { depth: 2 }).array(), [0, 1])
  t.deepEqual(oneHot([], { depth: 4 }).shape, [0, 4])
})

test('oneHot leaves nothing behind', (t) => {
  const before = memory().tensors
  oneHot([0], { depth: 2 }).dispose()
  t.is(memory().tensors, before)
})

test('oneHot refuses indices outside and depths that are none', (t) => {
  t.throws(() => oneHot([0, 3], { depth: 3 }), {
    instanceOf: RangeError,
    message: 'oneHot: index 3 at position 1 is no whole number from 0 to 2. a row of depth 3 has 3 elements',
  })
  for (const [depth, shown] of [
    [0, '0'],
    [-1, '-1'],
    [1.5, '1.5'],
    [Number.NaN, 'NaN'],
    [2 ** 32, '4294967296'],
  ] as const) {
    t.throws(() => oneHot([], { depth }), {
      instanceOf: RangeError,
      message: `oneHot: depth must be a whole number from 1 to 2^31. got ${shown}`,
    })
  }
  t.throws(() => oneHot([0], { depth: '3' as unknown as number }), {
    instanceOf: TypeError,
    message: 'oneHot: depth must be a whole number from 1. got "3"',
  })
  t.throws(() => oneHot([0], undefined as unknown as OneHotOptions), {
    instanceOf: TypeError,
    message: 'oneHot: options must be an object with depth. got undefined',
  })
  t.throws(() => oneHot(tensor([1]), { depth: 2 }), {
    instanceOf: DTypeError,
    message:
      "oneHot: indices has dtype float32, but indices are int32 or uint8. cast it first: cast(indices, { dtype: 'int32' })",
  })
  t.throws(() => oneHot([0], { depth: 2, dtype: 'int32' }), { instanceOf: DTypeError })
  t.throws(() => oneHot(Array(2 ** 20).fill(0), { depth: 2 ** 31 }), { instanceOf: RangeError })
  t.throws(() => oneHot(null as unknown as number[], { depth: 2 }), {
    instanceOf: TypeError,
    message: 'oneHot: indices must be a Tensor or an array of whole numbers. got null',
  })
})

test('an index outside in a tensor fails the next read by name', async (t) => {
  const { stdout, code } = await runChild(`
    const y = f.oneHot(f.tensor([-1], { dtype: 'int32' }), { depth: 3 })
    const failed = await y.data().catch((error) => error)
    console.log(failed.name, failed.message)
  `)
  t.is(stdout, 'StreamError oneHot failed: index -1 at position 0 is not from 0 to 2\n')
  t.is(code, 0)
})
