import test from 'ava'
import { DTypeError, gradCheck, relu, tensor } from 'ferrograd'

test('relu keeps what is positive', async (t) => {
  const x = tensor([
    [-1, 0, 2],
    [Number.NaN, Infinity, -Infinity],
  ])
  const y = (await relu(x).data()) as Float32Array
  t.deepEqual([...y], [0, 0, 2, Number.NaN, Infinity, 0])
})

test('relu has the gradient of finite differences', async (t) => {
  const x = tensor([[-1, 0.5, 2]], { dtype: 'float64' })
  t.true((await gradCheck(relu, [x])).passed)
})

test('relu refuses integers and what is no tensor', (t) => {
  t.throws(() => relu(tensor([1], { dtype: 'int32' })), {
    instanceOf: DTypeError,
    code: 'ERR_DTYPE',
    message:
      "relu: x has dtype int32, but the op computes on float32 and float64. cast it first: cast(x, { dtype: 'float32' })",
  })
  // @ts-expect-error: what JavaScript users can do
  t.throws(() => relu([1, 2]), {
    instanceOf: TypeError,
    message: 'relu: x must be a Tensor. got [1, 2]. make one with tensor(values)',
  })
})

test('zero elements are fine', async (t) => {
  const y = relu(tensor([], { shape: [0, 3] }))
  t.deepEqual(y.shape, [0, 3])
  t.deepEqual(await y.array(), [])
})
