import test from 'ava'
import { optimizers, tensor, variable } from 'ferrograd'
import { type Rule, refusedPositive, refusedShares, stepAlong, testOptimizer } from '../helpers/optimizer.js'
import { assertNear, values } from '../helpers/values.js'

const rule =
  ({ learningRate = 0.001, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7 }): Rule =>
  () => {
    let [m, v, product] = [0, 0, 1]
    const decay = (t: number) => beta1 * (1 - 0.5 * 0.96 ** t)
    return (w, g, t) => {
      product *= decay(t)
      m = beta1 * m + (1 - beta1) * g
      v = beta2 * v + (1 - beta2) * g * g
      const ahead = (decay(t + 1) * m) / (1 - product * decay(t + 1)) + ((1 - decay(t)) * g) / (1 - product)
      return w - (learningRate * ahead) / (Math.sqrt(v / (1 - beta2 ** t)) + epsilon)
    }
  }

testOptimizer({
  name: 'nadam',
  make: optimizers.nadam,
  cases: [undefined, { learningRate: 0.1, beta1: 0.5, beta2: 0.9, epsilon: 1e-2 }].map((options) => [
    options,
    rule(options ?? {}),
  ]),
  refused: [...refusedShares('beta1', 'beta2'), ...refusedPositive('epsilon')],
})

test('a load may go back, or far ahead', async (t) => {
  const optimizer = optimizers.nadam({ learningRate: 0.1 })
  const run = async (iterations: number) => {
    const w = variable(tensor([1]))
    const slots = () => ({ m: tensor([0.5]), v: tensor([0.25]) })
    optimizer.load({ iterations, variables: [{ name: 'w', slots: slots() }] })
    stepAlong(optimizer, [w], [tensor([1])])
    return values(w)
  }
  const early = await run(3)
  const late = await run(2 ** 40)
  assertNear(t, late, await run(2 ** 52), 1e-7)
  t.notDeepEqual(early, late)
  t.deepEqual(await run(3), early)
})
