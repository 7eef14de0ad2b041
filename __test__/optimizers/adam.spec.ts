import test from 'ava'
import { optimizers, tensor, variable } from 'ferrograd'
import { adamRule } from '../helpers/adam.js'
import { courseNumbers, courseTensor, testCourse } from '../helpers/course.js'
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

testCourse('adam_step_linspace', async (t, vector) => {
  const w = variable(courseTensor(vector, 'w'))
  const optimizer = optimizers.adam({ learningRate: 1e-2, epsilon: 1e-8 })
  const slots = { m: courseTensor(vector, 'm'), v: courseTensor(vector, 'v') }
  optimizer.load({ iterations: 5, variables: [{ name: 'w', slots }] })
  stepAlong(optimizer, [w], [courseTensor(vector, 'dw')])
  assertNear(t, await values(w), courseNumbers(vector, 'next_w'), 1e-6)
  const after = optimizer.state().variables[0]!.slots
  assertNear(t, await values(after.m!), courseNumbers(vector, 'm'), 1e-6)
  assertNear(t, await values(after.v!), courseNumbers(vector, 'v'), 1e-6)
})
