import test from 'ava'
import {
  add,
  cast,
  conv2d,
  DTypeError,
  type GradientsOptions,
  gradients,
  matmul,
  memory,
  mul,
  noGrad,
  randomNormal,
  relu,
  reshape,
  ShapeError,
  scope,
  sum,
  tensor,
  variable,
} from 'ferrograd'

test('upstream is the gradient that arrives at a result of any shape', async (t) => {
  // y = A B, so dA = dY Bᵀ and dB = Aᵀ dY.
  const a = tensor([
    [1, 2, 3],
    [4, 5, 6],
  ])
  const b = tensor([
    [1, -1],
    [0, 2],
    [3, 1],
  ])
  const upstream = tensor([
    [1, 10],
    [0, -2],
  ])
  const [da, db] = gradients(() => matmul(a, b), [a, b], { upstream })
  t.deepEqual(await da.array(), [
    [-9, 20, 13],
    [2, -4, -2],
  ])
  t.deepEqual(await db.array(), [
    [1, 2],
    [2, 10],
    [3, 18],
  ])
  t.deepEqual(await upstream.array(), [
    [1, 10],
    [0, -2],
  ])
})

test('upstream gives the bits of a weighted sum', async (t) => {
  const x = randomNormal([2, 7, 9, 16], { seed: 1 })
  const weight = randomNormal([3, 3, 16, 24], { seed: 2 })
  const bias = randomNormal([24], { seed: 3 })
  const upstream = randomNormal([2, 4, 5, 24], { seed: 4 })
  const fn = () => conv2d(x, weight, { bias, padding: 'same', stride: 2, activation: 'relu' })
  const found = gradients(fn, [x, weight, bias], { upstream })
  const expected = gradients(() => sum(mul(fn(), upstream)), [x, weight, bias])
  for (const [i, gradient] of found.entries()) t.deepEqual(await gradient.data(), await expected[i]!.data())
})

test('upstream of a scalar scales, in float64 too', async (t) => {
  const x = tensor([3], { dtype: 'float64' })
  const fn = () => sum(mul(x, x))
  const [dx] = gradients(fn, [x], { upstream: tensor(0.5, { dtype: 'float64' }) })
  t.deepEqual(await dx.data(), Float64Array.of(3))
  const [plain] = gradients(fn, [x], {})
  t.deepEqual(await plain.data(), Float64Array.of(6))
})

test('a gradient is no window on its upstream', async (t) => {
  const x = tensor([1, 2])
  const upstream = variable(tensor([5, 7]))
  // Ops that move nothing hand on what they are given; the same tensor twice adds up.
  const [through] = gradients(() => reshape(x, [2]), [x], { upstream })
  const [itself] = gradients(() => x, [x], { upstream })
  const [twice] = gradients(() => add(x, x), [x], { upstream })
  upstream.assign(tensor([0, 0]))
  t.deepEqual(await through.array(), [5, 7])
  t.deepEqual(await itself.array(), [5, 7])
  t.deepEqual(await twice.array(), [10, 14])
  const given = tensor([5, 7])
  const [same] = gradients(() => reshape(x, [2]), [x], { upstream: given })
  given.dispose()
  t.deepEqual(await same.array(), [5, 7])
})

test('what the result does not depend on has gradient zero, whatever arrives', async (t) => {
  const [a, b] = [tensor([1, 2]), tensor([3, 4])]
  const [da, db] = gradients(() => relu(a), [a, b], { upstream: tensor([5, 6]) })
  t.deepEqual([await da.array(), await db.array()], [[5, 6], [0, 0]]) // biome-ignore format: one line
  const [dc] = gradients(() => noGrad(() => relu(a)), [a], { upstream: tensor([5, 6]) })
  t.deepEqual(await dc.array(), [0, 0])
})

test('gradients with upstream leave nothing behind', (t) => {
  const x = tensor([1, 2])
  const upstreams = [tensor([1, 1]), variable(tensor([1, 1]))]
  const before = memory().tensors
  for (const upstream of upstreams) {
    const [dx] = scope(() => gradients(() => relu(mul(x, x)), [x], { upstream }))
    t.is(memory().tensors, before + 1)
    dx.dispose()
  }
  t.throws(() => scope(() => gradients(() => mul(x, x), [x], { upstream: tensor([1]) })))
  t.is(memory().tensors, before)
})

test('wrong options say what is wrong', (t) => {
  const x = tensor([1, 2])
  const cases: [unknown, unknown, string][] = [
    [
      { upstream: tensor([1, 2, 3]) },
      ShapeError,
      'upstream has another shape than the result of the function. upstream [3], result [2]',
    ],
    [
      { upstream: cast(x, { dtype: 'float64' }) },
      DTypeError,
      "upstream has dtype float64, but the result of the function has float32. cast one: cast(upstream, { dtype: 'float32' })",
    ],
    [{ upstream: 1 }, TypeError, 'upstream must be a Tensor. got 1. make one with tensor(values)'],
    [{ dy: x }, TypeError, 'there is no option dy (got a Tensor). valid is upstream'],
    [null, TypeError, 'options must be an object. got null'],
  ]
  for (const [options, instanceOf, message] of cases) {
    t.throws(() => gradients(() => relu(x), [x], options as GradientsOptions), {
      instanceOf: instanceOf as typeof ShapeError,
      message: `gradients: ${message}`,
    })
  }
  t.throws(() => gradients(() => relu(x), [x]), {
    instanceOf: ShapeError,
    message: 'backward: the loss must have one element. got shape [2]. reduce it with mean(loss) or sum(loss)',
  })
})
