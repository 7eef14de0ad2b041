// Ranges of hyperparameters: what is drawn, what is refused, and how a fine search narrows them.
import test from 'ava'
import { search } from 'ferrograd'
import * as seeds from '../../dist/tensor/seed.js'

interface Random {
  next(): number
}
const { Random } = seeds as unknown as { Random: new (seed: number) => Random }

const draw = (range: search.Range<unknown>, count: number) => {
  const random = new Random(5)
  return Array.from({ length: count }, () => (range as never as { draw(r: Random): unknown }).draw(random))
}

/** The largest distance between the distribution of the sample and `cdf` (Kolmogorov 1933). */
function distance(values: number[], cdf: (x: number) => number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return Math.max(...sorted.map((x, i) => Math.max(cdf(x) - i / sorted.length, (i + 1) / sorted.length - cdf(x))))
}
// One sample in a thousand lies farther off.
const bound = (count: number) => 1.95 / Math.sqrt(count)

test('uniform is even', (t) => {
  const values = draw(search.uniform(-2, 6), 20_000) as number[]
  t.true(values.every((x) => x >= -2 && x <= 6))
  t.true(distance(values, (x) => (x + 2) / 8) < bound(values.length))
})

test('logUniform is even in the logarithm', (t) => {
  const values = draw(search.logUniform(1e-5, 1e-1), 20_000) as number[]
  t.true(values.every((x) => x >= 1e-5 && x <= 1e-1))
  t.true(distance(values, (x) => (Math.log10(x) + 5) / 4) < bound(values.length))
  // And not even as it is: three quarters lie below a hundredth.
  t.true(Math.abs(values.filter((x) => x < 1e-2).length / values.length - 0.75) < 0.02)
})

test('integer has both its ends, each as often as what lies between', (t) => {
  const values = draw(search.integer(-1, 3), 20_000) as number[]
  for (const value of [-1, 0, 1, 2, 3]) {
    const share = values.filter((x) => x === value).length / values.length
    t.true(Math.abs(share - 0.2) < 0.015, `${value}: ${share}`)
  }
  t.true(values.every((x) => Number.isInteger(x) && x >= -1 && x <= 3))
})

test('integer with log: each value as often as its cell of the logarithm is wide', (t) => {
  const values = draw(search.integer(1, 8, { log: true }), 40_000) as number[]
  for (let value = 1; value <= 8; value++) {
    const share = values.filter((x) => x === value).length / values.length
    const expected = Math.log((value + 1) / value) / Math.log(9)
    t.true(Math.abs(share - expected) < 0.015, `${value}: ${share}, expected ${expected}`)
  }
  t.true(values.every((x) => Number.isInteger(x) && x >= 1 && x <= 8))
})

test('choice gives each value its share', (t) => {
  const values = draw(search.choice(['a', 'b', 'b']), 9000)
  t.true(Math.abs(values.filter((x) => x === 'b').length / 9000 - 2 / 3) < 0.02)
  t.deepEqual(draw(search.choice([[32, 64]]), 2), [
    [32, 64],
    [32, 64],
  ])
})

test('params have the types of their ranges', async (t) => {
  const space = {
    rate: search.uniform(0, 1),
    activation: search.choice(['relu', 'tanh']),
    units: search.choice([32, 64]),
    hidden: search.choice([[8], [8, 8]]),
    bias: search.choice([true, null]),
  }
  type Params = search.ParamsOf<typeof space>
  const exact: Exactly<
    Params,
    {
      readonly rate: number
      readonly activation: 'relu' | 'tanh'
      readonly units: 32 | 64
      readonly hidden: readonly [8] | readonly [8, 8]
      readonly bias: true | null
    }
  > = true
  t.true(exact)
})
type Exactly<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false

const refused = (fn: () => unknown) => {
  try {
    fn()
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`
  }
  return 'nothing was thrown'
}

test('what is no range is refused', (t) => {
  const cases: [() => unknown, string][] = [
    [
      () => search.uniform(1, 1),
      'RangeError: search.uniform: min must be below max. got min 1, max 1. a single value is search.choice([value])',
    ],
    [
      () => search.logUniform(0.1, 0.001),
      'RangeError: search.logUniform: min must be below max. got min 0.1, max 0.001. a single value is search.choice([value])',
    ],
    [() => search.logUniform(0, 1), 'RangeError: search.logUniform: min must be above 0. got 0'],
    [() => search.logUniform(-1, 1), 'RangeError: search.logUniform: min must be above 0. got -1'],
    [() => search.uniform(Number.NaN, 1), 'RangeError: search.uniform: min must be finite. got NaN'],
    [() => search.uniform(0, Infinity), 'RangeError: search.uniform: max must be finite. got Infinity'],
    [() => search.uniform('0' as never, 1), 'TypeError: search.uniform: min must be a number. got "0"'],
    [() => search.uniform(0, undefined as never), 'TypeError: search.uniform: max must be a number. got undefined'],
    [() => search.integer(1.5, 3), 'RangeError: search.integer: min must be a whole number. got 1.5'],
    [() => search.integer(1, 2.5), 'RangeError: search.integer: max must be a whole number. got 2.5'],
    [() => search.integer(0, 3, { log: true }), 'RangeError: search.integer: min must be above 0. got 0'],
    [() => search.integer(1, 3, { log: 1 as never }), 'TypeError: search.integer: log must be true or false. got 1'],
    [
      () => search.integer(1, 3, { base: 2 } as never),
      'TypeError: search.integer: there is no option base (got 2). valid are log',
    ],
    [() => search.choice([]), 'RangeError: search.choice: there are no values to choose from. got []'],
    [() => search.choice('ab' as never), 'TypeError: search.choice: expects an array of values. got "ab"'],
    [
      () => search.choice([1, Math.max]),
      'TypeError: search.choice: value 1 must be plain data (strings, finite numbers, booleans, null, arrays and objects of them), as it is recorded. got function max. choose a name, and make the rest of it in build',
    ],
    [
      () => search.choice([{ deep: [Number.NaN] }]),
      'TypeError: search.choice: value 0 must be plain data (strings, finite numbers, booleans, null, arrays and objects of them), as it is recorded. got an object. choose a name, and make the rest of it in build',
    ],
  ]
  for (const [fn, expected] of cases) t.is(refused(fn), expected)
})

interface Inner {
  narrowed(good: unknown[], best: unknown): { min: number; max: number; values: unknown[] }
  edgeAt(value: unknown): { side: string; range: string; wider: string } | undefined
}
const inner = (range: search.Range<unknown>) => range as never as Inner

test('a fine range is the span of the good values and a tenth on either side, within the range', (t) => {
  const { min, max } = inner(search.uniform(0, 10)).narrowed([4, 6, 5], 5)
  t.deepEqual([min, max], [3, 7])
  const clipped = inner(search.uniform(0, 10)).narrowed([0.2, 9.9], 9.9)
  t.deepEqual([clipped.min, clipped.max], [0, 10])
  const log = inner(search.logUniform(1e-5, 1e-1)).narrowed([1e-3], 1e-3)
  t.true(Math.abs(Math.log10(log.min) + 3.4) < 1e-12)
  t.true(Math.abs(Math.log10(log.max) + 2.6) < 1e-12)
})

test('a log-uniform range goes on beyond the edge that the best value lies at, and only there', (t) => {
  const range = inner(search.logUniform(1e-5, 1e-1))
  const beyond = range.narrowed([1e-3, 0.09], 0.09)
  t.true(beyond.max > 0.2 && beyond.max < 0.3)
  t.is(range.narrowed([1e-3, 0.09], 1e-3).max, 0.1)
  const below = range.narrowed([1.1e-5, 1e-3], 1.1e-5)
  t.true(below.min < 1e-5 && below.min > 4e-6)
})

test('fine integers stay integers and leave more than one', (t) => {
  const { min, max } = inner(search.integer(1, 4)).narrowed([2, 3], 2)
  t.deepEqual([min, max], [1, 4])
  const wide = inner(search.integer(10, 1000)).narrowed([500], 500)
  t.deepEqual([wide.min, wide.max], [401, 599])
  const end = inner(search.integer(1, 2)).narrowed([2], 2)
  t.deepEqual([end.min, end.max], [1, 2])
})

test('a fine choice has what was good', (t) => {
  t.deepEqual(inner(search.choice(['a', 'b', 'c'])).narrowed(['c', 'a', 'c'], 'c').values, ['a', 'c'])
})

test('the edges of a range, and how to widen it', (t) => {
  const rate = inner(search.logUniform(1e-5, 1e-1))
  t.is(rate.edgeAt(1e-3), undefined)
  t.is(rate.edgeAt(0.06), undefined)
  t.deepEqual(rate.edgeAt(0.08), { side: 'upper', range: '1e-5 to 0.1', wider: 'search.logUniform(1e-5, 1)' })
  t.deepEqual(rate.edgeAt(1.2e-5), { side: 'lower', range: '1e-5 to 0.1', wider: 'search.logUniform(1e-6, 0.1)' })
  const drop = inner(search.uniform(0, 0.5))
  t.deepEqual(drop.edgeAt(0.49), { side: 'upper', range: '0 to 0.5', wider: 'search.uniform(0, 0.75)' })
  t.is(drop.edgeAt(0.001), undefined, 'below nothing there is nothing')
  t.deepEqual(inner(search.uniform(0.2, 0.6)).edgeAt(0.2)?.wider, 'search.uniform(0, 0.6)')
  t.deepEqual(inner(search.uniform(-1, 1)).edgeAt(-1)?.wider, 'search.uniform(-2, 1)')
  const count = inner(search.integer(1, 4))
  t.is(count.edgeAt(1), undefined, 'fewer than one make no sense')
  t.deepEqual(count.edgeAt(4), { side: 'upper', range: '1 to 4', wider: 'search.integer(1, 6)' })
  t.deepEqual(inner(search.integer(16, 256, { log: true })).edgeAt(16)?.wider, 'search.integer(8, 256, { log: true })')
  t.is(inner(search.choice([1, 2])).edgeAt(2), undefined)
})
