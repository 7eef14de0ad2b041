import test from 'ava'
import { DTypeError, randomUniform, setSeed, setThreads, threads } from 'ferrograd'
import { assertNear, values } from '../helpers/values.js'

test.serial('randomUniform is spread evenly and stays below max', async (t) => {
  for (const dtype of ['float32', 'float64'] as const) {
    const y = randomUniform([400, 500], { min: -1, max: 3, seed: 3, dtype })
    t.is(y.dtype, dtype)
    const xs = await values(y)
    t.true(xs.every((x) => x >= -1 && x < 3))
    const quarters = [0, 1, 2, 3].map((k) => xs.filter((x) => Math.floor(x + 1) === k).length / xs.length)
    assertNear(t, quarters, [0.25, 0.25, 0.25, 0.25], 0.004)
  }
  t.deepEqual(await values(randomUniform([2], { min: 5, max: 5 })), [5, 5])
})

test('randomUniform refuses ranges that are none', (t) => {
  t.throws(() => randomUniform([1], { min: 2, max: 1 }), {
    instanceOf: RangeError,
    message: 'randomUniform: min 2 is above max 1',
  })
  t.throws(() => randomUniform([1], { min: Number.NaN }), {
    instanceOf: RangeError,
    message: 'randomUniform: min must be a finite number. got NaN',
  })
  t.throws(() => randomUniform([1], { max: Infinity }), {
    instanceOf: RangeError,
    message: 'randomUniform: max must be a finite number. got Infinity',
  })
  t.throws(() => randomUniform([1], { min: -3e38, max: 3e38 }), {
    instanceOf: RangeError,
    message: 'randomUniform: min -3e+38 and max 3e+38 must be within 3e38 of 0 and of each other',
  })
})

test('randomUniform refuses shapes, seeds and dtypes that mean nothing', (t) => {
  t.throws(() => randomUniform(3 as unknown as number[]), {
    instanceOf: TypeError,
    message: 'randomUniform: shape must be an array of whole numbers. got 3',
  })
  t.throws(() => randomUniform([2, -1]), {
    instanceOf: RangeError,
    message: 'randomUniform: every dimension of a shape is a whole number from 0. got [2, -1]',
  })
  t.throws(() => randomUniform([2 ** 21, 2 ** 21]), {
    instanceOf: RangeError,
    message: 'randomUniform: a tensor holds at most 2^40 elements. got shape [2097152, 2097152]',
  })
  for (const [seed, shown] of [
    [-1, '-1'],
    [0.5, '0.5'],
    [Number.NaN, 'NaN'],
    [2 ** 53, '9007199254740992'],
    ['1', '"1"'],
  ] as const) {
    t.throws(() => randomUniform([1], { seed: seed as number }), {
      instanceOf: RangeError,
      message: `randomUniform: seed must be a whole number from 0 to 2^53 - 1. got ${shown}`,
    })
  }
  t.throws(() => randomUniform([1], { dtype: 'int32' }), { instanceOf: DTypeError })
  t.throws(() => randomUniform([1], { dtype: 'half' as 'float32' }), { instanceOf: TypeError })
  t.throws(() => randomUniform([1], null as unknown as object), {
    instanceOf: TypeError,
    message: 'randomUniform: options must be an object. got null',
  })
})

test.serial(
  'randomUniform gives the same bits for a seed, on any number of threads, and other bits for others',
  async (t) => {
    const before = threads()
    const long: number[][] = []
    for (const n of [1, 2, 4]) {
      setThreads(n)
      long.push(await values(randomUniform([50_000], { seed: 2 ** 53 - 1 })))
    }
    setThreads(before)
    t.deepEqual(long[1], long[0])
    t.deepEqual(long[2], long[0])
    t.deepEqual(await values(randomUniform([7, 11], { seed: 2 ** 53 - 1 })), long[0]!.slice(0, 77))
    t.notDeepEqual(await values(randomUniform([7, 11], { seed: 1 })), long[0]!.slice(0, 77))
    setSeed(5)
    const [a, b] = [await values(randomUniform([10])), await values(randomUniform([10]))]
    setSeed(5)
    t.deepEqual(await values(randomUniform([10])), a)
    t.deepEqual(await values(randomUniform([10])), b)
    t.notDeepEqual(a, b)
    t.deepEqual(randomUniform([0, 3]).shape, [0, 3])
    t.deepEqual(randomUniform([]).shape, [])
  },
)
