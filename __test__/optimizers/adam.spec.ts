import test from 'ava'
import { optimizers, tensor, variable } from 'ferrograd'
import { adamRule } from '../helpers/adam.js'
import { assertCourse, courseTensor, testCourse } from '../helpers/course.js'
import { refusedPositive, refusedShares, stepAlong, testOptimizer } from '../helpers/optimizer.js'
import { assertNear, values } from '../helpers/values.js'

testOptimizer({
  name: 'adam',
  make: optimizers.adam,
  cases: [
    undefined,
    { learningRate: 0.1 },
    { learningRate: 0.1, beta1: 0, beta2: 0.5 },
    { learningRate: 0.1, beta1: 0.8, beta2: 0.95, epsilon: 1e-3 },
  ].map((options) => [options, adamRule(options ?? {})]),
  refused: [
    ...refusedShares('beta1', 'beta2'),
    ...refusedPositive('epsilon'),
    [
      { weightDecay: 0.1 },
      TypeError,
      'there is no option weightDecay (got 0.1). valid are learningRate, clipValue, clipNorm, globalClipNorm, beta1, beta2 and epsilon',
    ],
  ],
})

test("the first step is the learning rate, whatever the gradient's size", async (t) => {
  for (const g of [1e-3, 1, 1e3, -1e6]) {
    const w = variable(tensor([0]))
    stepAlong(optimizers.adam({ learningRate: 0.5 }), [w], [tensor([g])])
    assertNear(t, await values(w), [-0.5 * Math.sign(g)], 0.005)
  }
})

testCourse('adam_step_linspace', async (t, vector, precision) => {
  const given = (name: string) => courseTensor(vector, name, precision)
  const w = variable(given('w'))
  const optimizer = optimizers.adam({ learningRate: 1e-2, epsilon: 1e-8 })
  optimizer.load({ iterations: 5, variables: [{ name: 'w', slots: { m: given('m'), v: given('v') } }] })
  stepAlong(optimizer, [w], [given('dw')])
  assertCourse(t, vector, 'next_w', await values(w), precision)
  const after = optimizer.state().variables[0]!.slots
  assertCourse(t, vector, 'm', await values(after.m!), precision)
  assertCourse(t, vector, 'v', await values(after.v!), precision)
})
