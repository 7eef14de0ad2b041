import test from 'ava'
import {
  backward,
  DTypeError,
  gather,
  gradCheck,
  memory,
  ShapeError,
  sum,
  type Tensor,
  tensor,
  variable,
} from 'ferrograd'
import { runChild } from '../helpers/child.js'
import { numbers, values } from '../helpers/values.js'

const table = (): Tensor =>
  tensor([
    [1, 2],
    [3, 4],
    [5, 6],
  ])

test('gather picks slices along any axis', async (t) => {
  t.deepEqual(await gather(table(), [2, 0, 2]).array(), [
    [5, 6],
    [1, 2],
    [5, 6],
  ])
  t.deepEqual(await gather(table(), new Int32Array([1]), { axis: 0 }).array(), [[3, 4]])
  t.deepEqual(await gather(table(), [1], { axis: 1 }).array(), [[2], [4], [6]])
  t.deepEqual(await gather(table(), [1, 0], { axis: -1 }).array(), [
    [2, 1],
    [4, 3],
    [6, 5],
  ])
  const x = numbers([2, 3, 4])
  const lists = (await x.array()) as number[][][]
  t.deepEqual(
    await gather(x, [2, 1], { axis: 1 }).array(),
    lists.map((list) => [list[2], list[1]]),
  )
})

test('gather takes tensors of indices of any shape', async (t) => {
  const indices = tensor(
    [
      [0, 1],
      [2, 2],
    ],
    { dtype: 'int32' },
  )
  t.deepEqual(await gather(table(), indices).array(), [
    [
      [1, 2],
      [3, 4],
    ],
    [
      [5, 6],
      [5, 6],
    ],
  ])
  t.deepEqual(await gather(table(), tensor(1, { dtype: 'int32' })).array(), [3, 4])
  t.deepEqual(await gather(table(), tensor(new Uint8Array([2]))).array(), [[5, 6]])
  t.deepEqual(gather(table(), []).shape, [0, 2])
  t.deepEqual(gather(tensor([], { shape: [3, 0] }), [1, 1]).shape, [2, 0])
})

test('gather takes every dtype', async (t) => {
  for (const dtype of ['float32', 'float64', 'int32', 'uint8'] as const) {
    const y = gather(tensor([10, 20, 30], { dtype }), [2, 1])
    t.is(y.dtype, dtype)
    t.deepEqual(await values(y), [30, 20])
  }
})

test('the gradient of a slice picked twice is the sum', async (t) => {
  const x = variable(table())
  t.deepEqual(
    await backward(sum(gather(x, [2, 0, 2, 2])))
      .get(x)
      .array(),
    [
      [1, 1],
      [0, 0],
      [3, 3],
    ],
  )
  for (const axis of [0, 1, 2]) {
    t.true((await gradCheck((x) => gather(x, [1, 0, 1], { axis }), [numbers([2, 2, 2])])).passed)
  }
  const wide = await gradCheck((x) => gather(x, tensor([[1], [0]], { dtype: 'int32' })), [numbers([2, 20])])
  t.true(wide.passed)
})

test('gather leaves nothing behind', (t) => {
  const x = table()
  const before = memory().tensors
  gather(x, [0]).dispose()
  const bytes = tensor(new Uint8Array([1]))
  gather(x, bytes).dispose()
  bytes.dispose()
  t.is(memory().tensors, before)
})

test('plain indices outside are refused at once', (t) => {
  const x = table()
  const odd: [unknown, string][] = [
    [3, '3'],
    [-1, '-1'],
    [2 ** 31, '2147483648'],
    [2 ** 53, '9007199254740992'],
    [1.5, '1.5'],
    [Number.NaN, 'NaN'],
  ]
  for (const [index, shown] of odd) {
    t.throws(() => gather(x, [0, index as number]), {
      instanceOf: RangeError,
      code: 'ERR_OUT_OF_RANGE',
      message: `gather: index ${shown} at position 1 is no whole number from 0 to 2. axis 0 of input [3, 2] has 3 elements`,
    })
  }
  t.throws(() => gather(x, ['0'] as unknown as number[]), {
    instanceOf: TypeError,
    message: 'gather: indices must be whole numbers. got "0" at position 0',
  })
  t.throws(() => gather(tensor([], { shape: [0, 2] }), [0]), {
    instanceOf: ShapeError,
    message: 'gather: there is nothing to name: axis 0 of input [0, 2] has no elements',
  })
})

test('gather refuses other dtypes of indices, and axes that do not exist', (t) => {
  t.throws(() => gather(table(), tensor([1])), {
    instanceOf: DTypeError,
    message:
      "gather: indices has dtype float32, but indices are int32 or uint8. cast it first: cast(indices, { dtype: 'int32' })",
  })
  t.throws(() => gather(table(), 1 as unknown as number[]), {
    instanceOf: TypeError,
    message: 'gather: indices must be a Tensor or an array of whole numbers. got 1',
  })
  t.throws(() => gather(table(), [0], { axis: 2 }), {
    instanceOf: ShapeError,
    message: 'gather: axis 2 does not exist. the input has 2 axes: use -2 to 1',
  })
  t.throws(() => gather(tensor(1), [0]), {
    instanceOf: ShapeError,
    message: 'gather: the input has shape [], without an axis to pick along',
  })
  t.throws(() => gather([1] as unknown as Tensor, [0]), {
    message: 'gather: x must be a Tensor. got [1]. make one with tensor(values)',
  })
  t.throws(() => gather(table(), [0], 1 as unknown as object), { message: 'gather: options must be an object. got 1' })
})

test('an index outside in a tensor fails the next read by name, and the process lives', async (t) => {
  const { stdout, code, signal } = await runChild(`
    const table = f.tensor([[1, 2], [3, 4], [5, 6]])
    const fine = await f.gather(table, f.tensor([0, 2], { dtype: 'int32' })).array()
    const y = f.gather(table, f.tensor([0, 3], { dtype: 'int32' }))
    const failed = await y.data().catch((error) => error)
    console.log(JSON.stringify(fine), failed.name, failed.code, failed.message)
  `)
  t.is(stdout, '[[1,2],[5,6]] StreamError ERR_STREAM gather failed: index 3 at position 1 is not from 0 to 2\n')
  t.is(code, 0)
  t.is(signal, null)
})
