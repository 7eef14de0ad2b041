import test from 'ava'
import { optimizers, tensor, variable } from 'ferrograd'
import { assertCourse, courseTensor, testCourse } from '../helpers/course.js'
import { type Rule, refusedPositive, refusedShares, stepAlong, testOptimizer } from '../helpers/optimizer.js'
import { values } from '../helpers/values.js'

const rule =
  ({ learningRate = 0.001, rho = 0.9, momentum = 0, epsilon = 1e-7, centered = false }): Rule =>
  () => {
    let [square, mean, v] = [0, 0, 0]
    return (w, g) => {
      square = rho * square + (1 - rho) * g * g
      mean = rho * mean + (1 - rho) * g
      const spread = centered ? square - mean * mean : square
      v = momentum * v + (learningRate * g) / Math.sqrt(spread + epsilon)
      return w - v
    }
  }

testOptimizer({
  name: 'rmsprop',
  make: optimizers.rmsprop,
  cases: [
    undefined,
    { learningRate: 0.01, centered: true },
    { learningRate: 0.01, rho: 0.8, momentum: 0.5, epsilon: 1e-4 },
    { learningRate: 0.01, rho: 0.5, momentum: 0.9, epsilon: 1e-2, centered: true },
  ].map((options) => [options, rule(options ?? {})]),
  refused: [
    ...refusedShares('rho', 'momentum'),
    ...refusedPositive('epsilon'),
    [{ centered: 'yes' }, TypeError, 'centered must be true or false. got "yes"'],
  ],
})

test('centered survives gradients that never change', async (t) => {
  const steady = tensor([10, -10, 0.3, 1e4])
  const w = variable(tensor([0, 0, 0, 0]))
  const optimizer = optimizers.rmsprop({ centered: true })
  for (let step = 0; step < 1000; step++) stepAlong(optimizer, [w], [steady])
  t.true((await values(w)).every(Number.isFinite), `${await values(w)}`)
})

testCourse('rmsprop_step_linspace', async (t, vector, precision) => {
  const given = (name: string) => courseTensor(vector, name, precision)
  const w = variable(given('w'))
  const optimizer = optimizers.rmsprop({ learningRate: 1e-2, rho: 0.99, epsilon: 1e-8 })
  const zeros = () => tensor(new Array(20).fill(0), { shape: [4, 5], dtype: precision })
  const slots = { velocity: given('cache'), momentum: zeros(), average: zeros() }
  optimizer.load({ iterations: 1, variables: [{ name: 'w', slots }] })
  stepAlong(optimizer, [w], [given('dw')])
  // The course adds epsilon to the root, we to what is under it: with 1e-8 there is no difference to see.
  assertCourse(t, vector, 'next_w', await values(w), precision)
  assertCourse(t, vector, 'cache', await values(optimizer.state().variables[0]!.slots.velocity!), precision)
})
