import test from 'ava'
import { DTypeError, gradCheck, gradients, layerNorm, mul, ShapeError, sum, tensor } from 'ferrograd'
import { assertCourse, columnStatistics, courseTensor, testCourse } from '../helpers/course.js'
import { assertNear, numbers, values } from '../helpers/values.js'

function reference(x: readonly number[], gamma: readonly number[], beta: readonly number[], epsilon: number): number[] {
  const features = gamma.length
  return x.map((v, i) => {
    const row = x.slice(i - (i % features), i - (i % features) + features)
    const { means, deviations } = columnStatistics(row, 1)
    return (gamma[i % features]! * (v - means[0]!)) / Math.sqrt(deviations[0]! ** 2 + epsilon) + beta[i % features]!
  })
}

for (const dtype of ['float32', 'float64'] as const) {
  test(`layerNorm is its definition, in ${dtype}`, async (t) => {
    for (const shape of [[5], [3, 1], [4, 7], [2, 3, 33], [1, 2, 2, 2, 3, 40], [3, 200], [0, 4]]) {
      const f = [shape.at(-1)!]
      const [x, gamma, beta] = [numbers(shape, 1, dtype), numbers(f, 2, dtype), numbers(f, 3, dtype)]
      const y = layerNorm(x, { gamma, beta, epsilon: 1e-3 })
      t.deepEqual(y.shape, shape)
      t.is(y.dtype, dtype)
      const expected = reference(await values(x), await values(gamma), await values(beta), 1e-3)
      assertNear(t, await values(y), expected, dtype === 'float32' ? 2e-6 : 1e-12, `[${shape}]`)
    }
  })
}

test('layerNorm has the gradient of finite differences, for every tensor it takes', async (t) => {
  for (const shape of [[5], [3, 4], [2, 2, 3], [3, 1]]) {
    const f = [shape.at(-1)!]
    const inputs = [numbers(shape), numbers(f, 2), numbers(f, 3)]
    const result = await gradCheck((x, gamma, beta) => layerNorm(x, { gamma: gamma!, beta: beta! }), inputs)
    t.true(result.passed, `[${shape}]: ${result.maxRelativeError}`)
  }
})

test('gradients in float32 are those of float64, together and one by one', async (t) => {
  for (const shape of [
    [400, 7],
    [30, 64],
    [5, 9, 130],
  ]) {
    const run = async (dtype: 'float32' | 'float64', wanted: readonly number[]) => {
      const f = [shape.at(-1)!]
      const all = [numbers(shape, 1, dtype), numbers(f, 2, dtype), numbers(f, 3, dtype)] as const
      const dy = numbers(shape, 4, dtype)
      const loss = () => sum(mul(layerNorm(all[0], { gamma: all[1], beta: all[2] }), dy))
      return Promise.all(
        gradients(
          loss,
          wanted.map((i) => all[i]!),
        ).map(values),
      )
    }
    const [exact, together] = [await run('float64', [0, 1, 2]), await run('float32', [0, 1, 2])]
    for (const i of [0, 1, 2]) {
      assertNear(t, together[i]!, exact[i]!, 2e-5, `gradient ${i} of [${shape}]`)
      t.deepEqual((await run('float32', [i]))[0], together[i], `gradient ${i} alone`)
    }
  }
})

test('rows that are constant, far away, huge or tiny come out right', async (t) => {
  const beta = tensor([0.25, -7, 3])
  t.deepEqual(await values(layerNorm(tensor([[0.1, 0.1, 0.1]]), { beta, epsilon: 1e-300 })), [0.25, -7, 3])
  t.deepEqual(await values(layerNorm(tensor([[4], [-9]]), { beta: tensor([0.5]) })), [0.5, 0.5])
  const data = Array.from({ length: 60 }, (_, i) => Math.round(8 * Math.sin(i)) / 16)
  const expected = reference(data, new Array(60).fill(1), new Array(60).fill(0), 0)
  for (const change of [(v: number) => 1e6 + v, (v: number) => v * 1e20, (v: number) => v * 1e-30]) {
    const y = await values(layerNorm(tensor(data.map(change), { shape: [1, 60] }), { epsilon: 1e-300 }))
    assertNear(t, y, expected, 3e-6, `${change}`)
  }
})

test('a NaN stays in its row', async (t) => {
  const y = await values(
    layerNorm(
      tensor(
        Array.from({ length: 60 }, (_, i) => (i === 25 ? Number.NaN : i)),
        { shape: [3, 20] },
      ),
    ),
  )
  t.true(y.every((v, i) => Number.isNaN(v) === (i >= 20 && i < 40)))
})

test('what does not fit is refused with the reason', (t) => {
  for (const [x, shown] of [
    [tensor([], { shape: [3, 0] }), '[3, 0]'],
    [tensor(1), '[]'],
  ] as const) {
    t.throws(() => layerNorm(x), {
      instanceOf: ShapeError,
      code: 'ERR_SHAPE',
      message: `layerNorm: the last axis must have at least one element. input ${shown}`,
    })
  }
  const x = tensor([[1, 2, 3]])
  t.throws(() => layerNorm(x, { gamma: tensor([1, 2]) }), {
    instanceOf: ShapeError,
    message: 'layerNorm: gamma must have one number for each of 3 channels, shape [3]. gamma [2], input [1, 3]',
  })
  t.throws(() => layerNorm(x, { beta: tensor([[1, 2, 3]]) }), {
    instanceOf: ShapeError,
    message: 'layerNorm: beta must have one number for each of 3 channels, shape [3]. beta [1, 3], input [1, 3]',
  })
  t.throws(() => layerNorm(x, { gamma: tensor([1, 2, 3], { dtype: 'int32' }) }), {
    instanceOf: DTypeError,
    message: "layerNorm: x has dtype float32, but gamma has int32. cast one: cast(gamma, { dtype: 'float32' })",
  })
  for (const epsilon of [0, -1, Number.NaN, Infinity]) {
    t.throws(() => layerNorm(x, { epsilon }), {
      instanceOf: RangeError,
      code: 'ERR_OUT_OF_RANGE',
      message: `layerNorm: epsilon must be a number above 0. got ${epsilon}`,
    })
  }
  t.throws(() => layerNorm(tensor([1], { dtype: 'uint8' })), {
    instanceOf: DTypeError,
    message:
      "layerNorm: x has dtype uint8, but the op computes on float32 and float64. cast it first: cast(x, { dtype: 'float32' })",
  })
})

testCourse('layernorm_seed231', async (t, vector, precision) => {
  const a = courseTensor(vector, 'a', precision)
  const [gamma, beta] = [courseTensor(vector, 'gamma', precision), courseTensor(vector, 'beta', precision)]
  const rows = async (y: typeof a) => {
    const data = await values(y)
    const of = [0, 1, 2, 3].map((row) => columnStatistics(data.slice(3 * row, 3 * row + 3), 1))
    return { means: of.flatMap(({ means }) => means), deviations: of.flatMap(({ deviations }) => deviations) }
  }
  const unit = await rows(layerNorm(a, { epsilon: 1e-5 }))
  assertCourse(t, vector, 'stds_after_unit', unit.deviations, precision)
  const after = await rows(layerNorm(a, { gamma, beta, epsilon: 1e-5 }))
  assertCourse(t, vector, 'means_after', after.means, precision)
  assertCourse(t, vector, 'stds_after', after.deviations, precision)
})
