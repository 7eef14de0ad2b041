import test from 'ava'
import { DTypeError, randomNormal, setSeed, setThreads, threads } from 'ferrograd'
import { assertNear, values } from '../helpers/values.js'

test.serial('randomNormal has the mean and the standard deviation asked for', async (t) => {
  for (const dtype of ['float32', 'float64'] as const) {
    const y = randomNormal([400, 500], { mean: -2, stdDev: 0.5, seed: 3, dtype })
    t.is(y.dtype, dtype)
    const xs = await values(y)
    const mean = xs.reduce((a, b) => a + b, 0) / xs.length
    const variance = xs.reduce((a, b) => a + (b - mean) ** 2, 0) / xs.length
    const within = xs.filter((x) => Math.abs(x + 2) < 0.5).length / xs.length
    assertNear(t, [mean, Math.sqrt(variance), within], [-2, 0.5, 0.6827], 0.004)
  }
  t.deepEqual(await values(randomNormal([3], { mean: 4, stdDev: 0 })), [4, 4, 4])
})

test('randomNormal in float64 is what float32 rounds', async (t) => {
  const [single, double] = [randomNormal([999], { seed: 9 }), randomNormal([999], { seed: 9, dtype: 'float64' })]
  assertNear(t, await values(single), await values(double), 2e-6)
})

test('randomNormal refuses spreads that are none', (t) => {
  for (const [stdDev, shown] of [
    [-1, '-1'],
    [Number.NaN, 'NaN'],
    [Infinity, 'Infinity'],
    ['1', '"1"'],
  ] as const) {
    t.throws(() => randomNormal([1], { stdDev: stdDev as number }), {
      instanceOf: RangeError,
      message: `randomNormal: stdDev must be a finite number from 0. got ${shown}`,
    })
  }
  t.throws(() => randomNormal([1], { mean: Number.NaN }), {
    instanceOf: RangeError,
    message: 'randomNormal: mean must be a finite number. got NaN',
  })
})

test('randomNormal refuses shapes, seeds and dtypes that mean nothing', (t) => {
  t.throws(() => randomNormal(3 as unknown as number[]), {
    instanceOf: TypeError,
    message: 'randomNormal: shape must be an array of whole numbers. got 3',
  })
  t.throws(() => randomNormal([2, -1]), {
    instanceOf: RangeError,
    message: 'randomNormal: every dimension of a shape is a whole number from 0. got [2, -1]',
  })
  t.throws(() => randomNormal([2 ** 21, 2 ** 21]), {
    instanceOf: RangeError,
    message: 'randomNormal: a tensor holds at most 2^40 elements. got shape [2097152, 2097152]',
  })
  for (const [seed, shown] of [
    [-1, '-1'],
    [0.5, '0.5'],
    [Number.NaN, 'NaN'],
    [2 ** 53, '9007199254740992'],
    ['1', '"1"'],
  ] as const) {
    t.throws(() => randomNormal([1], { seed: seed as number }), {
      instanceOf: RangeError,
      message: `randomNormal: seed must be a whole number from 0 to 2^53 - 1. got ${shown}`,
    })
  }
  t.throws(() => randomNormal([1], { dtype: 'int32' }), { instanceOf: DTypeError })
  t.throws(() => randomNormal([1], { dtype: 'half' as 'float32' }), { instanceOf: TypeError })
  t.throws(() => randomNormal([1], null as unknown as object), {
    instanceOf: TypeError,
    message: 'randomNormal: options must be an object. got null',
  })
})

test.serial(
  'randomNormal gives the same bits for a seed, on any number of threads, and other bits for others',
  async (t) => {
    const before = threads()
    const long: number[][] = []
    for (const n of [1, 2, 4]) {
      setThreads(n)
      long.push(await values(randomNormal([50_000], { seed: 2 ** 53 - 1 })))
    }
    setThreads(before)
    t.deepEqual(long[1], long[0])
    t.deepEqual(long[2], long[0])
    t.deepEqual(await values(randomNormal([7, 11], { seed: 2 ** 53 - 1 })), long[0]!.slice(0, 77))
    t.notDeepEqual(await values(randomNormal([7, 11], { seed: 1 })), long[0]!.slice(0, 77))
    setSeed(5)
    const [a, b] = [await values(randomNormal([10])), await values(randomNormal([10]))]
    setSeed(5)
    t.deepEqual(await values(randomNormal([10])), a)
    t.deepEqual(await values(randomNormal([10])), b)
    t.notDeepEqual(a, b)
    t.deepEqual(randomNormal([0, 3]).shape, [0, 3])
    t.deepEqual(randomNormal([]).shape, [])
  },
)
