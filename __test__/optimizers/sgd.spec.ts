import test from 'ava'
import { optimizers, tensor, variable } from 'ferrograd'
import { assertCourse, courseTensor, testCourse } from '../helpers/course.js'
import { type Rule, refusedNegative, refusedShares, stepAlong, testOptimizer } from '../helpers/optimizer.js'
import { assertNear, values } from '../helpers/values.js'

const rule =
  ({ learningRate = 0.01, momentum = 0, nesterov = false, weightDecay = 0 }): Rule =>
  () => {
    let v = 0
    return (w, g) => {
      v = momentum * v - learningRate * g
      return w * (1 - learningRate * weightDecay) + (nesterov ? momentum * v - learningRate * g : v)
    }
  }

testOptimizer({
  name: 'sgd',
  make: optimizers.sgd,
  cases: [
    undefined,
    { learningRate: 0 },
    { learningRate: 0.1, momentum: 0.9 },
    { learningRate: 0.1, momentum: 0.9, nesterov: true },
    { learningRate: 0.1, weightDecay: 0.05 },
    { learningRate: 0.1, momentum: 0.5, nesterov: true, weightDecay: 0.05 },
  ].map((options) => [options, rule(options ?? {})]),
  refused: [
    ...refusedShares('momentum'),
    ...refusedNegative('weightDecay'),
    [
      { nesterov: true },
      TypeError,
      'nesterov looks ahead along the momentum, but momentum is 0. give momentum, such as 0.9',
    ],
    [{ momentum: 0.9, nesterov: 1 }, TypeError, 'nesterov must be true or false. got 1'],
    [
      { lr: 0.1 },
      TypeError,
      'there is no option lr (got 0.1). valid are learningRate, clipValue, clipNorm, globalClipNorm, momentum, nesterov and weightDecay',
    ],
    [{ learning_rate: 0.1 }, TypeError, 'there is no option learning_rate (got 0.1). did you mean learningRate?'],
  ],
})

test("momentum is PyTorch's where the learning rate stays the same: w - rate · (momentum · b + g)", async (t) => {
  const w = variable(tensor([1], { dtype: 'float64' }))
  const optimizer = optimizers.sgd({ learningRate: 0.1, momentum: 0.9 })
  let [expected, buffer] = [1, 0]
  for (const g of [0.5, -1, 2, 0.25]) {
    stepAlong(optimizer, [w], [tensor([g], { dtype: 'float64' })])
    buffer = 0.9 * buffer + g
    expected -= 0.1 * buffer
    assertNear(t, await values(w), [expected], 1e-14)
  }
})

testCourse('sgd_momentum_step_linspace', async (t, vector, precision) => {
  const given = (name: string) => courseTensor(vector, name, precision)
  const w = variable(given('w'))
  const optimizer = optimizers.sgd({ learningRate: 1e-3, momentum: 0.9 })
  optimizer.load({ iterations: 1, variables: [{ name: 'w', slots: { momentum: given('velocity') } }] })
  stepAlong(optimizer, [w], [given('dw')])
  assertCourse(t, vector, 'next_w', await values(w), precision)
  assertCourse(t, vector, 'velocity', await values(optimizer.state().variables[0]!.slots.momentum!), precision)
})
