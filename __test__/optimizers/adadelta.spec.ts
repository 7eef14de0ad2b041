import { optimizers } from 'ferrograd'
import { type Rule, refusedPositive, refusedShares, testOptimizer } from '../helpers/optimizer.js'

const rule =
  ({ learningRate = 0.001, rho = 0.95, epsilon = 1e-7 }): Rule =>
  () => {
    let [square, moved] = [0, 0]
    return (w, g) => {
      square = rho * square + (1 - rho) * g * g
      const delta = (-Math.sqrt(moved + epsilon) / Math.sqrt(square + epsilon)) * g
      moved = rho * moved + (1 - rho) * delta * delta
      return w + learningRate * delta
    }
  }

testOptimizer({
  name: 'adadelta',
  make: optimizers.adadelta,
  cases: [undefined, { learningRate: 1 }, { learningRate: 1, rho: 0.8, epsilon: 1e-4 }].map((options) => [
    options,
    rule(options ?? {}),
  ]),
  refused: [...refusedShares('rho'), ...refusedPositive('epsilon')],
})
