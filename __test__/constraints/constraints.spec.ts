import test from 'ava'
import { type Constraint, constraints, layers, mul, optimizers, sequential, tensor } from 'ferrograd'

test('maxNorm shrinks what is too long and leaves the rest alone', async (t) => {
  const w = tensor(
    [
      [3, 0.1, 0],
      [4, 0.2, 0],
    ],
    { dtype: 'float64' },
  )
  t.deepEqual(await constraints.maxNorm({ maxValue: 1 }).constrain(w).array(), [
    [0.6000000000000001, 0.1, 0],
    [0.8, 0.2, 0],
  ])
})

test('every filter has its own norm', async (t) => {
  const w = tensor(
    Float64Array.from({ length: 2 * 2 * 2 * 2 }, (_, i) => (i % 2 === 0 ? 1 : 0.1)),
    {
      shape: [2, 2, 2, 2],
    },
  )
  const data = await constraints.maxNorm({ maxValue: Math.SQRT2 }).constrain(w).data()
  for (const [i, value] of data.entries()) t.true(Math.abs(value - (i % 2 === 0 ? 0.5 : 0.1)) < 1e-15)
})

test('the axes can be chosen', async (t) => {
  const w = tensor([[3, 4]], { dtype: 'float64' })
  const array = (await constraints.maxNorm({ maxValue: 1, axis: -1 }).constrain(w).array()) as number[][]
  t.true(Math.abs(array[0]![0]! - 0.6) < 1e-15)
  t.true(Math.abs(array[0]![1]! - 0.8) < 1e-15)
  t.throws(() => constraints.maxNorm({ axis: 2 }).constrain(w), {
    message: 'constraints.maxNorm: axis 2 does not exist. the input has 2 axes: use -2 to 1',
  })
})

test('zeros and tiny numbers stay', async (t) => {
  const w = tensor([[0, 1e-20]])
  t.deepEqual(await constraints.maxNorm().constrain(w).array(), await w.array())
})

test('a model applies the constraints of its layers', async (t) => {
  const half: Constraint = { constrain: (w) => mul(w, tensor(0.5)) }
  const model = sequential({
    inputShape: [4],
    layers: [
      layers.dense({ units: 1, kernelInitializer: 'ones', kernelConstraint: constraints.maxNorm({ maxValue: 1 }) }),
      layers.dense({ units: 1, kernelInitializer: 'ones', biasInitializer: 'ones', biasConstraint: half }),
    ],
  })
  model.applyConstraints()
  t.deepEqual([...(await model.weights[0]!.data())], [0.5, 0.5, 0.5, 0.5])
  t.deepEqual([...(await model.weights[2]!.data())], [1])
  t.deepEqual([...(await model.weights[3]!.data())], [0.5])
  model.trainable = false
  model.applyConstraints()
  t.deepEqual([...(await model.weights[3]!.data())], [0.5])
})

test('training keeps every norm within maxNorm, and directions as they were', async (t) => {
  const maxValue = 0.5
  const model = sequential({
    inputShape: [4],
    dtype: 'float64',
    layers: [
      layers.dense({ units: 3, kernelInitializer: 'ones', kernelConstraint: constraints.maxNorm({ maxValue }) }),
    ],
  })
  const free = sequential({ inputShape: [4], dtype: 'float64', layers: [layers.dense({ units: 3 })] })
  const x = [[1, 2, -1, 0.5]]
  const y = [[3, -2, 0.01]]
  for (const net of [model, free])
    net.compile({ optimizer: optimizers.sgd({ learningRate: 0.1 }), loss: 'meanSquaredError' })
  for (let step = 0; step < 5; step++) {
    free.setWeights(model.getWeights())
    await model.trainOnBatch(x, y)
    await free.trainOnBatch(x, y)
    const [kept, wanted] = [await model.weights[0]!.data(), await free.weights[0]!.data()]
    for (let unit = 0; unit < 3; unit++) {
      const column = (data: ArrayLike<number>) => [0, 1, 2, 3].map((row) => data[row * 3 + unit]!)
      const norm = Math.hypot(...column(wanted))
      const expected = column(wanted).map((w) => w * Math.min(1, maxValue / norm))
      for (const [i, w] of column(kept).entries()) t.true(Math.abs(w - expected[i]!) < 1e-12)
      t.true(Math.hypot(...column(kept)) <= maxValue + 1e-12)
    }
  }
})

test('what cannot be is refused', (t) => {
  const cases: [() => unknown, string][] = [
    [() => constraints.maxNorm({ maxValue: 0 }), 'constraints.maxNorm: maxValue must be above 0. got 0'],
    [
      () => constraints.maxNorm({ axis: 'all' as never }),
      'constraints.maxNorm: axis must be a whole number or an array of them. got "all"',
    ],
    [
      () => constraints.maxNorm({ max: 2 } as never),
      'constraints.maxNorm: there is no option max (got 2). valid are maxValue and axis',
    ],
    [
      () => layers.dense({ units: 1, kernelConstraint: 'unitNorm' as never }),
      'dense: kernelConstraint must be \'maxNorm\', or an object with constrain(weight). got "unitNorm"',
    ],
  ]
  for (const [fn, message] of cases) t.throws(fn, { message })
})
