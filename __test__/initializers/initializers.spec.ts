import test from 'ava'
import { type Initializer, initializers, type Layer, layers, setSeed, zeros } from 'ferrograd'

async function numbers(initializer: Initializer, shape: number[], dtype: 'float32' | 'float64' = 'float32') {
  using x = initializer.initialize(shape, dtype)
  return { x, data: await x.data() }
}

function moments(data: ArrayLike<number>) {
  let sum = 0
  for (let i = 0; i < data.length; i++) sum += data[i]!
  const mean = sum / data.length
  let second = 0
  let third = 0
  let largest = 0
  for (let i = 0; i < data.length; i++) {
    const d = data[i]! - mean
    second += d * d
    third += d * d * d
    largest = Math.max(largest, Math.abs(data[i]!))
  }
  const stdDev = Math.sqrt(second / data.length)
  return { mean, stdDev, skew: third / data.length / stdDev ** 3, largest }
}

test('constants', async (t) => {
  t.deepEqual([...(await numbers(initializers.zeros(), [3])).data], [0, 0, 0])
  t.deepEqual([...(await numbers(initializers.ones(), [2, 1])).data], [1, 1])
  t.deepEqual([...(await numbers(initializers.constant({ value: -0.5 }), [2])).data], [-0.5, -0.5])
  t.deepEqual([...(await numbers(initializers.identity(), [2, 3])).data], [1, 0, 0, 0, 1, 0])
  t.deepEqual([...(await numbers(initializers.identity({ gain: 3 }), [2, 2], 'float64')).data], [3, 0, 0, 3])
})

// A weight with 300 inputs of 9 taps, and 200 outputs: fanIn 2700, fanOut 1800.
const shape = [3, 3, 300, 200]
const [fanIn, fanOut] = [2700, 1800]
const untruncated = 1 / 0.8796256610342398

const spreads: [string, Initializer, number, number][] = [
  ['heNormal', initializers.heNormal({ seed: 1 }), Math.sqrt(2 / fanIn), 2 * untruncated],
  ['heUniform', initializers.heUniform({ seed: 1 }), Math.sqrt(2 / fanIn), Math.sqrt(3)],
  ['glorotNormal', initializers.glorotNormal({ seed: 1 }), Math.sqrt(2 / (fanIn + fanOut)), 2 * untruncated],
  ['glorotUniform', initializers.glorotUniform({ seed: 1 }), Math.sqrt(2 / (fanIn + fanOut)), Math.sqrt(3)],
  ['lecunNormal', initializers.lecunNormal({ seed: 1 }), Math.sqrt(1 / fanIn), 2 * untruncated],
  ['xavier', initializers.xavier({ seed: 1 }), Math.sqrt(1 / fanIn), Infinity],
  ['randomNormal', initializers.randomNormal({ stdDev: 0.5, seed: 1 }), 0.5, Infinity],
  ['truncatedNormal', initializers.truncatedNormal({ stdDev: 0.5, seed: 1 }), 0.5 / untruncated, 2 * untruncated],
  ['randomUniform', initializers.randomUniform({ min: -3, max: 3, seed: 1 }), Math.sqrt(3), Math.sqrt(3)],
  [
    'varianceScaling, fanOut, normal',
    initializers.varianceScaling({ scale: 3, mode: 'fanOut', distribution: 'normal', seed: 1 }),
    Math.sqrt(3 / fanOut),
    Infinity,
  ],
  ['varianceScaling', initializers.varianceScaling({ seed: 1 }), Math.sqrt(1 / fanIn), 2 * untruncated],
]

for (const [name, initializer, stdDev, bound] of spreads) {
  test(`${name} has the mean, the spread and the bounds of its formula`, async (t) => {
    const { data } = await numbers(initializer, shape)
    const n = data.length
    const found = moments(data)
    // Five standard errors: of a mean, and (with the kurtosis of a normal distribution, the largest here) of a spread.
    t.true(Math.abs(found.mean) < (5 * stdDev) / Math.sqrt(n), `mean ${found.mean}`)
    t.true(Math.abs(found.stdDev / stdDev - 1) < 5 / Math.sqrt(2 * n), `spread ${found.stdDev}, expected ${stdDev}`)
    t.true(Math.abs(found.skew) < 5 * Math.sqrt(6 / n), `skew ${found.skew}`)
    t.true(found.largest <= stdDev * bound * (1 + 1e-6), `largest ${found.largest / stdDev} standard deviations`)
    // Nothing is cut off earlier than that.
    t.true(found.largest > stdDev * Math.min(bound * 0.99, 4), `largest ${found.largest / stdDev} standard deviations`)
  })
}

test('the mean is where it was asked to be', async (t) => {
  for (const initializer of [
    initializers.randomNormal({ mean: 7, stdDev: 0.1, seed: 2 }),
    initializers.truncatedNormal({ mean: 7, stdDev: 0.1, seed: 2 }),
    initializers.randomUniform({ min: 6, max: 8, seed: 2 }),
  ]) {
    const { mean } = moments((await numbers(initializer, [100_000])).data)
    t.true(Math.abs(mean - 7) < 0.02, `${initializer.kind}: ${mean}`)
  }
})

test('fans of vectors, matrices and filters', async (t) => {
  const spread = async (mode: 'fanIn' | 'fanOut' | 'fanAvg', shape: number[]) => {
    const { data } = await numbers(initializers.varianceScaling({ mode, distribution: 'uniform', seed: 3 }), shape)
    return 1 / moments(data).stdDev ** 2
  }
  const near = (found: number, fan: number) => t.true(Math.abs(found / fan - 1) < 0.05, `${found} for ${fan}`)
  near(await spread('fanIn', [40_000]), 40_000)
  near(await spread('fanIn', [100, 400]), 100)
  near(await spread('fanOut', [100, 400]), 400)
  near(await spread('fanAvg', [100, 400]), 250)
  near(await spread('fanIn', [5, 5, 16, 100]), 400)
  near(await spread('fanOut', [5, 5, 16, 100]), 2500)
})

// Of a filter the fan is its area times its depth; of a grouped one, the depth of a group; of a depthwise one, 1.
const kernels: [string, (kernelInitializer: Initializer) => Layer, number[], number, number][] = [
  ['dense', (kernelInitializer) => layers.dense({ units: 300, kernelInitializer }), [500], 500, 300],
  [
    'conv2d',
    (kernelInitializer) => layers.conv2d({ filters: 96, kernelSize: 5, kernelInitializer }),
    [5, 5, 64],
    25 * 64,
    25 * 96,
  ],
  [
    'conv2d in 4 groups',
    (kernelInitializer) => layers.conv2d({ filters: 128, kernelSize: [3, 5], groups: 4, kernelInitializer }),
    [5, 5, 64],
    15 * 16,
    15 * 128,
  ],
  [
    'depthwiseConv2d',
    (kernelInitializer) => layers.depthwiseConv2d({ kernelSize: 7, depthMultiplier: 2, kernelInitializer }),
    [7, 7, 300],
    49,
    49 * 600,
  ],
]

for (const [name, make, inputShape, fanIn, fanOut] of kernels) {
  test(`the spread of the kernel of ${name} follows its fans`, async (t) => {
    const expected = {
      xavier: 1 / fanIn,
      lecunNormal: 1 / fanIn,
      heNormal: 2 / fanIn,
      heUniform: 2 / fanIn,
      glorotNormal: 2 / (fanIn + fanOut),
      glorotUniform: 2 / (fanIn + fanOut),
    }
    for (const [kind, variance] of Object.entries(expected)) {
      const layer = make(initializers[kind as keyof typeof expected]({ seed: 7 }))
      layer.apply(zeros([0, ...inputShape]))
      const data = await layer.weights[0]!.data()
      t.true(data.length > 25_000)
      const { mean, stdDev } = moments(data)
      t.true(Math.abs(mean) < 5 * Math.sqrt(variance / data.length), `${kind}: mean ${mean}`)
      // Five standard errors, about 2 % at most: no other fan and no other formula is that near.
      const within = 5 / Math.sqrt(2 * data.length)
      const off = stdDev / Math.sqrt(variance) - 1
      t.true(Math.abs(off) < within, `${kind}: ${stdDev} instead of ${Math.sqrt(variance)}`)
      layer.dispose()
    }
  })
}

test('the filters of an orthogonal convolution are orthonormal', async (t) => {
  const layer = layers.conv2d({ filters: 6, kernelSize: 3, kernelInitializer: initializers.orthogonal({ seed: 2 }) })
  layer.apply(zeros([0, 3, 3, 4]))
  const data = await layer.weights[0]!.data()
  for (let a = 0; a < 6; a++) {
    for (let b = 0; b < 6; b++) {
      let dot = 0
      for (let i = 0; i < 36; i++) dot += data[i * 6 + a]! * data[i * 6 + b]!
      t.true(Math.abs(dot - Number(a === b)) < 1e-6, `filters ${a} and ${b}: ${dot}`)
    }
  }
})

test('an orthogonal matrix keeps lengths', async (t) => {
  for (const shape of [
    [7, 7],
    [20, 5],
    [5, 20],
    [3, 3, 2, 4],
    [1, 1],
  ]) {
    const gain = 2
    const { data } = await numbers(initializers.orthogonal({ gain, seed: 4 }), shape, 'float64')
    const columns = shape.at(-1)!
    const rows = data.length / columns
    const tall = rows >= columns
    const [count, length] = tall ? [columns, rows] : [rows, columns]
    const at = (vector: number, i: number) => data[tall ? i * columns + vector : vector * columns + i]!
    for (let a = 0; a < count; a++) {
      for (let b = 0; b < count; b++) {
        let dot = 0
        for (let i = 0; i < length; i++) dot += at(a, i) * at(b, i)
        t.true(Math.abs(dot - (a === b ? gain * gain : 0)) < 1e-12, `${shape}: vectors ${a} and ${b} give ${dot}`)
      }
    }
  }
})

test('orthogonal matrices have no direction of their own', async (t) => {
  let sum = 0
  for (let seed = 0; seed < 200; seed++) {
    const { data } = await numbers(initializers.orthogonal({ seed }), [3, 3], 'float64')
    sum += data[0]!
  }
  // An entry has variance 1/3.
  t.true(Math.abs(sum / 200) < 5 * Math.sqrt(1 / 3 / 200), String(sum / 200))
})

const random = [
  'glorotNormal',
  'glorotUniform',
  'heNormal',
  'heUniform',
  'lecunNormal',
  'orthogonal',
  'randomNormal',
  'randomUniform',
  'truncatedNormal',
  'varianceScaling',
  'xavier',
] as const

test.serial('the same seed gives the same numbers, another seed others', async (t) => {
  for (const name of random) {
    const draw = async (seed?: number) =>
      (await numbers(initializers[name](seed === undefined ? {} : { seed }), [8, 8])).data
    t.deepEqual(await draw(5), await draw(5), name)
    t.notDeepEqual(await draw(5), await draw(6), name)
    setSeed(9)
    const [first, second] = [await draw(), await draw()]
    setSeed(9)
    t.deepEqual(await draw(), first, name)
    t.notDeepEqual(first, second, name)
  }
})

test('weights without elements are fine', async (t) => {
  for (const name of random) {
    for (const shape of [
      [0, 5],
      [5, 0],
      [3, 3, 0, 4],
    ]) {
      const { x } = await numbers(initializers[name]({ seed: 1 }), shape)
      t.deepEqual(x.shape, shape)
    }
  }
})

test('what cannot be is refused', (t) => {
  const cases: [() => unknown, string][] = [
    [() => initializers.constant({} as never), 'initializers.constant: value must be a number. got undefined'],
    [() => initializers.constant({ value: Infinity }), 'initializers.constant: value must be finite. got Infinity'],
    [() => initializers.randomNormal({ stdDev: -1 }), 'initializers.randomNormal: stdDev must be 0 or more. got -1'],
    [
      () => initializers.randomNormal({ stddev: 1 } as never),
      'initializers.randomNormal: there is no option stddev (got 1). did you mean stdDev?',
    ],
    [
      () => initializers.randomUniform({ min: 1, max: 0 }),
      'initializers.randomUniform: max must not be below min. got min 1, max 0',
    ],
    [
      () => initializers.heNormal({ seed: 1.5 }),
      'initializers.heNormal: seed must be a whole number from 0 to 2^53 - 1. got 1.5',
    ],
    [
      () => initializers.heNormal({ scale: 2 } as never),
      'initializers.heNormal: there is no option scale (got 2). valid are seed',
    ],
    [() => initializers.heNormal(3 as never), 'initializers.heNormal: expects an options object. got 3'],
    [() => initializers.varianceScaling({ scale: 0 }), 'initializers.varianceScaling: scale must be above 0. got 0'],
    [
      () => initializers.varianceScaling({ mode: 'fan_in' as never }),
      "initializers.varianceScaling: mode must be 'fanIn', 'fanOut' or 'fanAvg'. got \"fan_in\"",
    ],
    [
      () => initializers.varianceScaling({ distribution: 'gauss' as never }),
      "initializers.varianceScaling: distribution must be 'normal', 'uniform' or 'truncatedNormal'. got \"gauss\"",
    ],
    [
      () => initializers.orthogonal().initialize([3], 'float32'),
      'initializers.orthogonal: a weight needs at least two axes to be orthogonal. got shape [3]',
    ],
    [
      () => initializers.identity().initialize([3, 3, 2, 2], 'float32'),
      'initializers.identity: only a matrix has an identity. got shape [3, 3, 2, 2]',
    ],
  ]
  for (const [fn, message] of cases) t.throws(fn, { message })
})
