import test from 'ava'
import { optimizers, tensor, variable } from 'ferrograd'
import { type Rule, refusedNegative, refusedShares, stepAlong, testOptimizer } from '../helpers/optimizer.js'
import { values } from '../helpers/values.js'

const rule =
  ({ learningRate = 0.001, beta1 = 0.9, beta2 = 0.99, weightDecay = 0 }): Rule =>
  () => {
    let m = 0
    return (w, g) => {
      const moved = w - learningRate * weightDecay * w - learningRate * Math.sign(beta1 * m + (1 - beta1) * g)
      m = beta2 * m + (1 - beta2) * g
      return moved
    }
  }

testOptimizer({
  name: 'lion',
  make: optimizers.lion,
  cases: [undefined, { learningRate: 0.1, beta1: 0.5, beta2: 0.7 }, { learningRate: 0.1, weightDecay: 0.2 }].map(
    (options) => [options, rule(options ?? {})],
  ),
  refused: [...refusedShares('beta1', 'beta2'), ...refusedNegative('weightDecay')],
})

test('a weight without a gradient stays where it is', async (t) => {
  const w = variable(tensor([1, 2]))
  stepAlong(optimizers.lion({ learningRate: 0.5 }), [w], [tensor([0, 3])])
  t.deepEqual(await values(w), [1, 1.5])
})
