import test from 'ava'
import {
  add,
  backward,
  gradCheck,
  layers,
  optimizers,
  type Regularizer,
  regularizers,
  sequential,
  sum,
  tensor,
  variable,
} from 'ferrograd'
import { numbers, values as valuesOf } from '../helpers/values.js'

const values = [
  [1, -2],
  [0.5, 0],
]

async function penaltyOf(regularizer: Regularizer) {
  const w = variable(tensor(values, { dtype: 'float64' }))
  const penalty = regularizer.penalty(w)
  const gradient = await backward(penalty).get(w).array()
  return { value: await penalty.item(), shape: penalty.shape, gradient }
}

test('l1 is the sum of magnitudes', async (t) => {
  const { value, shape, gradient } = await penaltyOf(regularizers.l1({ l1: 0.5 }))
  t.deepEqual(shape, [])
  t.is(value, 1.75)
  t.deepEqual(gradient, [
    [0.5, -0.5],
    [0.5, 0],
  ])
})

test('l2 is the sum of squares', async (t) => {
  const { value, gradient } = await penaltyOf(regularizers.l2({ l2: 0.5 }))
  t.is(value, 2.625)
  t.deepEqual(gradient, [
    [1, -2],
    [0.5, 0],
  ])
})

test('l1l2 is both', async (t) => {
  const { value, gradient } = await penaltyOf(regularizers.l1l2({ l1: 0.5, l2: 0.5 }))
  t.is(value, 4.375)
  t.deepEqual(gradient, [
    [1.5, -2.5],
    [1, 0],
  ])
})

test('the default factor is 0.01', async (t) => {
  t.true(Math.abs((await penaltyOf(regularizers.l1())).value - 0.035) < 1e-12)
  t.true(Math.abs((await penaltyOf(regularizers.l2())).value - 0.0525) < 1e-12)
  t.true(Math.abs((await penaltyOf(regularizers.l1l2())).value - 0.0875) < 1e-12)
})

test('a layer takes a name, an object, or one of your own', async (t) => {
  const half: Regularizer = { penalty: (w) => sum(w) }
  for (const [kernelRegularizer, expected] of [
    ['l2', 0.04],
    [regularizers.l1({ l1: 1 }), 4],
    [half, 4],
  ] as const) {
    const model = sequential({
      inputShape: [2],
      layers: [layers.dense({ units: 2, kernelInitializer: 'ones', kernelRegularizer })],
    })
    const penalty = await model.regularization()!.item()
    t.true(Math.abs(penalty - expected) < 1e-6, String(penalty))
  }
})

test('their gradients are those of differences, for kernels of any shape', async (t) => {
  for (const regularizer of [
    regularizers.l1({ l1: 0.3 }),
    regularizers.l2({ l2: 0.7 }),
    regularizers.l1l2({ l1: 0.3, l2: 0.7 }),
  ]) {
    const { maxRelativeError } = await gradCheck(
      (w, b) => add(regularizer.penalty(w), regularizer.penalty(b)),
      [numbers([3, 3, 2, 4], 1), numbers([5], 2)],
    )
    t.true(maxRelativeError < 1e-6)
  }
})

test('descent with l2 alone shrinks by 1 − 2 · rate · l2 a step, with l1 by rate · l1, whatever the sign', async (t) => {
  const start = [
    [1, -2],
    [0.5, -0.75],
  ]
  for (const [kernelRegularizer, next] of [
    [regularizers.l2({ l2: 0.25 }), (w: number) => w * (1 - 2 * 0.1 * 0.25)],
    [regularizers.l1({ l1: 0.25 }), (w: number) => w - Math.sign(w) * 0.1 * 0.25],
    [regularizers.l1l2({ l1: 0.5, l2: 0.25 }), (w: number) => w - 0.1 * (Math.sign(w) * 0.5 + 2 * 0.25 * w)],
  ] as const) {
    const model = sequential({
      inputShape: [2],
      dtype: 'float64',
      layers: [layers.dense({ units: 2, useBias: false, kernelRegularizer })],
    })
    model.setWeights([start])
    model.compile({ optimizer: optimizers.sgd({ learningRate: 0.1 }), loss: 'meanSquaredError' })
    let expected = start.flat()
    for (let step = 0; step < 5; step++) {
      // Inputs of 0 leave nothing but the penalty.
      const { loss } = await model.trainOnBatch([[0, 0]], [[0, 0]])
      const penalty = await regularizer(kernelRegularizer, expected)
      t.true(Math.abs(loss - penalty) < 1e-12)
      expected = expected.map(next)
      const found = await valuesOf(model.weights[0]!)
      for (const [i, w] of found.entries()) t.true(Math.abs(w - expected[i]!) < 1e-12)
    }
  }
})

async function regularizer(of: Regularizer, weights: readonly number[]): Promise<number> {
  return of.penalty(tensor([...weights], { dtype: 'float64' })).item()
}

test('what cannot be is refused', (t) => {
  const cases: [() => unknown, string][] = [
    [() => regularizers.l2({ l2: -1 }), 'regularizers.l2: l2 must be 0 or more. got -1'],
    [() => regularizers.l1({ l1: Number.NaN }), 'regularizers.l1: l1 must be 0 or more. got NaN'],
    [() => regularizers.l2({ l1: 1 } as never), 'regularizers.l2: there is no option l1 (got 1). valid are l2'],
    [
      () => layers.dense({ units: 1, kernelRegularizer: 'ridge' as never, name: 'head' }),
      "dense \"head\": kernelRegularizer must be 'l1', 'l2' or 'l1l2', or an object with penalty(weight). got \"ridge\"",
    ],
  ]
  for (const [fn, message] of cases) t.throws(fn, { message })
})
