import { optimizers } from 'ferrograd'
import { type Rule, refusedPositive, refusedShares, testOptimizer } from '../helpers/optimizer.js'

const rule =
  ({ learningRate = 0.001, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7 }): Rule =>
  () => {
    let [m, u] = [0, 0]
    return (w, g, t) => {
      m = beta1 * m + (1 - beta1) * g
      u = Math.max(beta2 * u, Math.abs(g))
      return w - ((learningRate / (1 - beta1 ** t)) * m) / (u + epsilon)
    }
  }

testOptimizer({
  name: 'adamax',
  make: optimizers.adamax,
  cases: [undefined, { learningRate: 0.1, beta1: 0.5, beta2: 0.7, epsilon: 1e-2 }].map((options) => [
    options,
    rule(options ?? {}),
  ]),
  refused: [...refusedShares('beta1', 'beta2'), ...refusedPositive('epsilon')],
})
