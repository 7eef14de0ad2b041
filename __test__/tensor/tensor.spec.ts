import test from 'ava'
import { full, memory, ones, ShapeError, scope, Tensor, tensor, variable, zeros } from 'ferrograd'

test('values, shapes and dtypes go in and come out', async (t) => {
  const cases: [Tensor, number[], string, unknown][] = [
    [tensor(7), [], 'float32', 7],
    [tensor([1, 2, 3]), [3], 'float32', [1, 2, 3]],
    [tensor([[1], [2]]), [2, 1], 'float32', [[1], [2]]],
    [tensor([[], []]), [2, 0], 'float32', [[], []]],
    [tensor([]), [0], 'float32', []],
    [tensor(new Float64Array([1, 2])), [2], 'float64', [1, 2]],
    [tensor(new Int32Array([1, -2]), { shape: [2, 1] }), [2, 1], 'int32', [[1], [-2]]],
    [tensor(Buffer.from([1, 255])), [2], 'uint8', [1, 255]],
    [tensor(new Uint8ClampedArray([300])), [1], 'uint8', [255]],
    [tensor([1, 2], { dtype: 'int32' }), [2], 'int32', [1, 2]],
    [tensor([0.1], { dtype: 'float64' }), [1], 'float64', [0.1]],
    [tensor(new Float64Array([0.5]), { dtype: 'float32' }), [1], 'float32', [0.5]],
    [
      zeros([2, 2]),
      [2, 2],
      'float32',
      [
        [0, 0],
        [0, 0],
      ],
    ],
    [ones([1], { dtype: 'uint8' }), [1], 'uint8', [1]],
    [full([2], -3, { dtype: 'int32' }), [2], 'int32', [-3, -3]],
    [full([], 2.5), [], 'float32', 2.5],
  ]
  for (const [x, shape, dtype, values] of cases) {
    t.deepEqual(x.shape, shape)
    t.is(x.dtype as string, dtype)
    t.deepEqual(await x.array(), values as never)
  }
})

test('what is read is a copy', async (t) => {
  const source = new Float32Array([1, 2])
  const x = tensor(source)
  source[0] = 9
  const data = await x.data()
  t.deepEqual([...data], [1, 2])
  data[1] = 9
  t.deepEqual([...(await x.data())], [1, 2])
})

test('a view into a larger buffer is read where it starts', async (t) => {
  const x = tensor(new Float32Array(new Float32Array([1, 2, 3, 4]).buffer, 4, 2))
  t.deepEqual([...(await x.data())], [2, 3])
})

test('wrong values are refused with the reason', (t) => {
  const cases: [() => unknown, string][] = [
    [
      () => tensor([[1, 2], [3]]),
      'tensor: the rows along axis 1 differ: lengths 2 and 1. all rows of an axis are equally long',
    ],
    [
      () => tensor([1, [2]] as never),
      'tensor: the rows along axis 1 differ: an array where a number is expected. all rows of an axis are equally long',
    ],
    [
      () => tensor([[1], 2] as never),
      'tensor: the rows along axis 1 differ: a number where an array is expected. all rows of an axis are equally long',
    ],
    [() => tensor(['1'] as never), 'tensor: values must be numbers. got "1" (element 0)'],
    [() => tensor(null as never), 'tensor: values must be numbers. got null (element 0)'],
    [() => tensor([1, 2, 3], { shape: [2, 2] }), 'tensor: 3 values do not fill shape [2, 2], which has 4'],
    [
      () => tensor([1], { dtype: 'float16' as never }),
      "tensor: dtype must be 'float32', 'float64', 'int32' or 'uint8'. got \"float16\"",
    ],
    [
      () => tensor([1.5], { dtype: 'int32' }),
      'tensor: int32 cannot hold 1.5 (element 0): it holds whole numbers from -2147483648 to 2147483647',
    ],
    [
      () => tensor([0, 256], { dtype: 'uint8' }),
      'tensor: uint8 cannot hold 256 (element 1): it holds whole numbers from 0 to 255',
    ],
    [
      () => tensor(new BigInt64Array(1) as never),
      'tensor: a BigInt64Array is no kind of number that tensors hold. use Float32Array, Float64Array, Int32Array or Uint8Array',
    ],
    [() => zeros([-1]), 'zeros: every dimension of a shape is a whole number from 0. got [-1]'],
    [() => zeros([1.5]), 'zeros: every dimension of a shape is a whole number from 0. got [1.5]'],
    [() => zeros([Number.NaN]), 'zeros: every dimension of a shape is a whole number from 0. got [NaN]'],
    [() => zeros([2 ** 53]), 'zeros: a tensor holds at most 2^40 elements. got shape [9007199254740992]'],
    [
      () => zeros([2 ** 31, 2 ** 31, 2 ** 31]),
      'zeros: a tensor holds at most 2^40 elements. got shape [2147483648, 2147483648, 2147483648]',
    ],
    [() => zeros(3 as never), 'zeros: shape must be an array of whole numbers. got 3'],
    [() => full([1], '1' as never), 'full: value must be a number. got "1"'],
  ]
  for (const [call, message] of cases) t.is(t.throws(call)?.message, message)
})

test('more memory than there is is an error with a way out', (t) => {
  const error = t.throws(() => zeros([2 ** 39]), { instanceOf: RangeError, code: 'ERR_OUT_OF_RANGE' })
  t.regex(
    error!.message,
    /^no memory for a float32 tensor of shape \[549755813888\]: it takes 2199023255552 bytes, \d+ are in use and the limit is \d+\. free tensors with scope\(\)/,
  )
})

test('item reads the only element', async (t) => {
  t.is(await tensor([[5]]).item(), 5)
  await t.throwsAsync(tensor([1, 2]).item(), {
    instanceOf: ShapeError,
    message: 'item: the tensor has 2 elements, not 1. shape [2]. use data()',
  })
})

test('a disposed tensor cannot be read, and disposing again does nothing', async (t) => {
  const x = tensor([1])
  const reading = x.data()
  x.dispose()
  x.dispose()
  t.true(x.disposed)
  t.deepEqual([...(await reading)], [1], 'a read that was queued before still sees the values')
  await t.throwsAsync(x.data(), {
    instanceOf: TypeError,
    code: 'ERR_DISPOSED',
    message: 'the tensor of shape [1] is disposed. return it from scope() to keep it, or dispose it later',
  })
})

test.serial('memory is given back and used again', async (t) => {
  const before = memory()
  const x = zeros([1000, 1000])
  t.is(memory().tensors, before.tensors + 1)
  t.true(memory().bytes - before.bytes >= 4e6)
  x.dispose()
  t.is(memory().tensors, before.tensors)
  t.is(memory().bytes, before.bytes)
  const pool = memory().poolBytes
  zeros([1000, 1000]).dispose()
  t.is(memory().poolBytes, pool, 'the same block again')
})

test.serial('the garbage collector frees what nobody holds', async (t) => {
  t.truthy(globalThis.gc, 'ava runs with --expose-gc')
  const before = memory().tensors
  ;(() => {
    for (let i = 0; i < 1000; i++) zeros([10])
  })()
  for (let i = 0; i < 20 && memory().tensors > before + 100; i++) {
    globalThis.gc!()
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  t.true(memory().tensors <= before + 100, `${memory().tensors} tensors, ${before} before`)
})

test.serial('a scope frees what it does not return', (t) => {
  const before = memory().tensors
  const kept = scope(() => {
    const a = tensor([1])
    const inner = scope(() => [tensor([2]), tensor([3])][0]!)
    tensor([4])
    return { list: [a], inner, number: 1 }
  })
  t.is(memory().tensors, before + 2)
  t.false(kept.list[0]!.disposed || kept.inner.disposed)
  kept.list[0]!.dispose()
  kept.inner.dispose()
  t.throws(
    () =>
      scope(() => {
        tensor([1])
        throw new Error('mine')
      }),
    { message: 'mine' },
  )
  t.is(memory().tensors, before)
  t.throws(() => scope(async () => tensor([1])), {
    instanceOf: TypeError,
    message:
      'scope: the function is async, and what it makes after its first await would belong to nobody. await outside: const y = scope(() => …); await y.data()',
  })
})

test.serial('a variable outlives the scope it is made in', async (t) => {
  const w = scope(() => variable(tensor([1, 2]), { name: 'w' }))
  const v = scope(() => {
    const v = variable(tensor([5]))
    return () => v
  })()
  t.deepEqual(await v.array(), [5])
  w.assign(tensor([3, 4]))
  t.deepEqual(await w.array(), [3, 4])
  t.throws(() => w.assign(tensor([3])), {
    instanceOf: ShapeError,
    message: 'assign: "w" holds float32 [2]. got float32 [1]',
  })
  w.dispose()
  v.dispose()
})

test('using disposes', (t) => {
  const x = tensor([1])
  x[Symbol.dispose]()
  t.true(x.disposed)
  t.true(x instanceof Tensor)
})
