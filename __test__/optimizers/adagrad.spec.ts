import { optimizers } from 'ferrograd'
import { type Rule, refusedNegative, refusedPositive, testOptimizer } from '../helpers/optimizer.js'

const rule =
  ({ learningRate = 0.001, initialAccumulatorValue = 0.1, epsilon = 1e-7 }): Rule =>
  () => {
    let squares = initialAccumulatorValue
    return (w, g) => {
      squares += g * g
      return w - (learningRate * g) / Math.sqrt(squares + epsilon)
    }
  }

testOptimizer({
  name: 'adagrad',
  make: optimizers.adagrad,
  cases: [
    undefined,
    { learningRate: 0.1 },
    { learningRate: 0.1, initialAccumulatorValue: 0, epsilon: 1e-3 },
    { learningRate: 0.5, initialAccumulatorValue: 2 },
  ].map((options) => [options, rule(options ?? {})]),
  refused: [...refusedNegative('initialAccumulatorValue'), ...refusedPositive('epsilon')],
})
