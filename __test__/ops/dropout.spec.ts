import test from 'ava'
import {
  add,
  type DropoutOptions,
  DTypeError,
  dropout,
  gradCheck,
  gradients,
  mul,
  ones,
  setSeed,
  setThreads,
  sum,
  type Tensor,
  tensor,
  threads,
} from 'ferrograd'
import { courseNumbers, testCourse } from '../helpers/course.js'
import { numbers, values } from '../helpers/values.js'

for (const dtype of ['float32', 'float64'] as const) {
  test(`what is kept is scaled by 1 / (1 − rate), the rest is 0, in ${dtype}`, async (t) => {
    const x = numbers([50, 41], 1, dtype)
    for (const rate of [0, 0.25, 0.5, 0.9]) {
      const y = dropout(x, { rate, seed: 3 })
      t.deepEqual(y.shape, [50, 41])
      t.is(y.dtype, dtype)
      const [xs, ys] = [await values(x), await values(y)]
      const scale = 1 / (1 - rate)
      t.true(ys.every((v, i) => v === 0 || Math.abs(v - xs[i]! * scale) < 1e-6 * scale))
      t.is(
        rate === 0,
        ys.every((v) => v !== 0),
      )
    }
  })
}

test('the share of zeros and the mean are right', async (t) => {
  for (const rate of [0.1, 0.5, 0.75]) {
    const y = await values(dropout(ones([1_000_000]), { rate, seed: 11 }))
    const zeros = y.filter((v) => v === 0).length / y.length
    t.true(Math.abs(zeros - rate) < 0.002, `${zeros} for ${rate}`)
    t.true(Math.abs(y.reduce((a, b) => a + b, 0) / y.length - 1) < 0.01)
  }
})

test('the same seed drops the same elements, on any number of threads and in both dtypes', async (t) => {
  const zeros = async (x: Tensor, options: DropoutOptions) => (await values(dropout(x, options))).map((v) => v === 0)
  const many = ones([300_000])
  const first = await zeros(many, { rate: 0.3, seed: 5 })
  const before = threads()
  setThreads(before === 1 ? 2 : 1)
  t.deepEqual(await zeros(many, { rate: 0.3, seed: 5 }), first)
  setThreads(before)
  t.deepEqual(await zeros(ones([1000], { dtype: 'float64' }), { rate: 0.3, seed: 5 }), first.slice(0, 1000))
  t.notDeepEqual(await zeros(many, { rate: 0.3, seed: 6 }), first)
})

test('without a seed of its own it follows setSeed, and every call differs', async (t) => {
  // Both are drawn before anything else can draw.
  const run = () => Promise.all([0, 1].map(() => dropout(ones([100]), { rate: 0.5 })).map(values))
  setSeed(7)
  const first = await run()
  t.notDeepEqual(first[0], first[1])
  setSeed(7)
  t.deepEqual(await run(), first)
  setSeed(8)
  t.notDeepEqual(await run(), first)
})

test('the gradient goes where the numbers went', async (t) => {
  const x = numbers([3, 50], 1, 'float32')
  const dy = numbers([3, 50], 2, 'float32')
  const [dx] = gradients(() => sum(mul(dropout(x, { rate: 0.5, seed: 9 }), dy)), [x])
  t.deepEqual(await values(dx), await values(dropout(dy, { rate: 0.5, seed: 9 })))
  const result = await gradCheck((x) => dropout(x, { rate: 0.4, seed: 2 }), [numbers([4, 5])])
  t.true(result.passed)
})

test('without elements and without axes', async (t) => {
  t.deepEqual(await dropout(tensor([], { shape: [0, 3] }), { rate: 0.5 }).array(), [])
  t.true([0, 4].includes(await dropout(tensor(2), { rate: 0.5 }).item()))
})

test('what is dropped is 0, whatever it was', async (t) => {
  const y = await values(dropout(tensor(new Float32Array(200).fill(Number.NaN)), { rate: 0.5, seed: 1 }))
  t.true(y.some((v) => v === 0) && y.some((v) => Number.isNaN(v)))
})

test('what cannot be is refused', (t) => {
  const x = ones([3])
  const cases: [unknown, string][] = [
    [{ rate: 1 }, '1'],
    [{ rate: -0.1 }, '-0.1'],
    [{ rate: 1.5 }, '1.5'],
    [{ rate: Number.NaN }, 'NaN'],
    [{ rate: '0.5' }, '"0.5"'],
    [{}, 'undefined'],
    [undefined, 'undefined'],
  ]
  for (const [options, shown] of cases) {
    t.throws(() => dropout(x, options as DropoutOptions), {
      instanceOf: RangeError,
      code: 'ERR_OUT_OF_RANGE',
      message: `dropout: rate must be from 0 up to but not including 1. got ${shown}`,
    })
  }
  for (const seed of [-1, 1.5, Number.NaN, 2 ** 53]) {
    t.throws(() => dropout(x, { rate: 0.5, seed }), {
      instanceOf: RangeError,
      message: `dropout: seed must be a whole number from 0 to 2^53 - 1. got ${seed}`,
    })
  }
  t.throws(() => dropout(tensor([1], { dtype: 'int32' }), { rate: 0.5 }), {
    instanceOf: DTypeError,
    message:
      "dropout: x has dtype int32, but the op computes on float32 and float64. cast it first: cast(x, { dtype: 'float32' })",
  })
})

// The course states the share that is kept.
testCourse('dropout_statistics', async (t, vector, precision) => {
  const mean = (data: number[]) => data.reduce((a, b) => a + b, 0) / data.length
  const x = add(numbers([500, 500], 1, precision), tensor(10, { dtype: precision }))
  const before = mean(await values(x))
  const zeros = courseNumbers(vector, 'frac_zero')
  for (const [i, keep] of courseNumbers(vector, 'keep').entries()) {
    const y = await values(dropout(x, { rate: 1 - keep, seed: 1 }))
    // Three standard errors of a mean of 250,000 numbers near 10.
    t.true(Math.abs(mean(y) - before) < (3 * 10 * Math.sqrt(1 / keep - 1)) / 500)
    t.true(Math.abs(y.filter((v) => v === 0).length / y.length - zeros[i]!) < 0.005)
  }
})
