import { optimizers } from 'ferrograd'
import { adamRule } from '../helpers/adam.js'
import { refusedNegative, refusedPositive, refusedShares, testOptimizer } from '../helpers/optimizer.js'

testOptimizer({
  name: 'adamW',
  make: optimizers.adamW,
  cases: [
    undefined,
    { learningRate: 0.1, weightDecay: 0 },
    { learningRate: 0.1, weightDecay: 0.1 },
    { learningRate: 0.05, beta1: 0.5, beta2: 0.9, epsilon: 1e-2, weightDecay: 1 },
  ].map((options) => [options, adamRule({ weightDecay: 0.004, ...options })]),
  refused: [...refusedShares('beta1', 'beta2'), ...refusedPositive('epsilon'), ...refusedNegative('weightDecay')],
})
