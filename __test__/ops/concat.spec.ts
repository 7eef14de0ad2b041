import test from 'ava'
import { backward, concat, DTypeError, gradCheck, mul, ShapeError, sum, type Tensor, tensor, variable } from 'ferrograd'
import { numbers } from '../helpers/values.js'

test('concat puts tensors one behind the other along any axis', async (t) => {
  const [a, b] = [
    tensor([
      [1, 2],
      [3, 4],
    ]),
    tensor([[5, 6]]),
  ]
  t.deepEqual(await concat([a, b]).array(), [
    [1, 2],
    [3, 4],
    [5, 6],
  ])
  t.deepEqual(await concat([a, tensor([[7], [8]])], { axis: 1 }).array(), [
    [1, 2, 7],
    [3, 4, 8],
  ])
  t.deepEqual(await concat([a, a], { axis: -1 }).array(), [
    [1, 2, 1, 2],
    [3, 4, 3, 4],
  ])
  t.deepEqual(await concat([b]).array(), [[5, 6]])
  const three = [numbers([2, 1, 3], 1), numbers([2, 2, 3], 2), numbers([2, 4, 3], 3)]
  const lists = (await Promise.all(three.map((x) => x.array()))) as number[][][][]
  t.deepEqual(
    await concat(three, { axis: 1 }).array(),
    [0, 1].map((i) => lists.flatMap((list) => list[i]!)),
  )
})

test('concat takes every dtype, and tensors without elements', async (t) => {
  for (const dtype of ['float32', 'float64', 'int32', 'uint8'] as const) {
    const y = concat([tensor([1, 2], { dtype }), tensor([], { shape: [0], dtype }), tensor([3], { dtype })])
    t.is(y.dtype, dtype)
    t.deepEqual(await y.array(), [1, 2, 3])
  }
  t.deepEqual(concat([tensor([], { shape: [2, 0] }), tensor([], { shape: [3, 0] })]).shape, [5, 0])
})

test('concat has the gradient of finite differences, only where it is wanted', async (t) => {
  const inputs = [numbers([2, 1, 2], 1), numbers([2, 3, 2], 2)]
  t.true((await gradCheck((a, b) => concat([a, b, a], { axis: 1 }), inputs)).passed)
  const [a, b] = [tensor([1, 2]), variable(tensor([3]))]
  const gradients = backward(sum(mul(concat([a, b]), tensor([10, 20, 30]))))
  t.deepEqual(await gradients.get(b).array(), [30])
})

test('concat refuses what does not fit', (t) => {
  const x = tensor([[1, 2]])
  t.throws(() => concat([]), { instanceOf: ShapeError, message: 'concat: there are no tensors. give at least one' })
  t.throws(() => concat(x as unknown as Tensor[]), {
    instanceOf: TypeError,
    message: 'concat: the first argument must be an array of tensors. got a Tensor',
  })
  t.throws(() => concat([x, 3 as unknown as Tensor]), {
    instanceOf: TypeError,
    message: 'concat: tensors[1] must be a Tensor. got 3. make one with tensor(values)',
  })
  t.throws(() => concat([x, tensor([1, 2])]), {
    instanceOf: ShapeError,
    message:
      'concat: tensors[1] does not fit behind tensors[0] along axis 0: only that axis may differ. tensors[0] [1, 2], tensors[1] [2]',
  })
  t.throws(() => concat([x, tensor([[1, 2, 3]])]), {
    instanceOf: ShapeError,
    message:
      'concat: tensors[1] does not fit behind tensors[0] along axis 0: only that axis may differ. tensors[0] [1, 2], tensors[1] [1, 3]',
  })
  t.throws(() => concat([x, tensor([[1, 2]], { dtype: 'int32' })]), {
    instanceOf: DTypeError,
    message: "concat: tensors[0] has dtype float32, but tensors[1] has int32. cast one: cast(x, { dtype: 'float32' })",
  })
  t.throws(() => concat([x, x], { axis: 2 }), {
    instanceOf: ShapeError,
    message: 'concat: axis 2 does not exist. the input has 2 axes: use -2 to 1',
  })
  t.throws(() => concat([x, x], { axis: 0.5 }), {
    instanceOf: RangeError,
    message: 'concat: axis must be a whole number. got 0.5',
  })
  t.throws(() => concat([tensor(1), tensor(2)]), {
    instanceOf: ShapeError,
    message: 'concat: tensors[0] has shape [], without an axis to go along. reshape it to [1]',
  })
  t.throws(() => concat([x], 1 as unknown as object), { message: 'concat: options must be an object. got 1' })
})
