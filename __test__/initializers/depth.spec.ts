// What initializers are for: how large signals are behind ten layers, against the theory of wide layers.
import test from 'ava'
import { type Initializer, initializers, layers, randomNormal, variance } from 'ferrograd'

/** E f(z √v) for a standard normal z, by the midpoint rule. */
function expected(f: (x: number) => number, v: number): number {
  const [step, limit] = [1e-3, 8]
  let sum = 0
  for (let z = -limit + step / 2; z < limit; z += step) sum += f(z * Math.sqrt(v)) * Math.exp(-z * z * 0.5)
  return (sum * step) / Math.sqrt(2 * Math.PI)
}

/**
 * Standard deviations behind layers of infinite width: numbers before the activation are normal with variance
 * `factor` times the mean square of those before them (Poole et al. 2016).
 */
function theory(f: (x: number) => number, factor: number): number[] {
  let square = 1
  return Array.from({ length: 10 }, () => {
    const v = factor * square
    square = expected((x) => f(x) ** 2, v)
    return Math.sqrt(square - expected(f, v) ** 2)
  })
}

async function measured(activation: 'tanh' | 'relu', initializerOf: (seed: number) => Initializer): Promise<number[]> {
  const deviations: number[] = []
  let x = randomNormal([1000, 500], { seed: 100 })
  for (let i = 0; i < 10; i++) {
    using layer = layers.dense({ units: 500, activation, kernelInitializer: initializerOf(i), useBias: false })
    x = layer.apply(x)
    deviations.push(Math.sqrt(await variance(x).item()))
  }
  return deviations
}

const relu = (x: number) => Math.max(x, 0)
const { heNormal, randomNormal: normal, xavier } = initializers

const cases: [string, 'tanh' | 'relu', (seed: number) => Initializer, number][] = [
  ['tanh behind 0.01 · randn dies away', 'tanh', (seed) => normal({ stdDev: 0.01, seed }), 500 * 0.01 ** 2],
  ['tanh behind 1 · randn saturates', 'tanh', (seed) => normal({ stdDev: 1, seed }), 500],
  ['tanh behind xavier keeps its spread', 'tanh', (seed) => xavier({ seed }), 1],
  ['relu behind xavier loses half of its variance in each layer', 'relu', (seed) => xavier({ seed }), 1],
  ['relu behind heNormal keeps its spread', 'relu', (seed) => heNormal({ seed }), 2],
]

for (const [title, activation, initializerOf, factor] of cases) {
  test(title, async (t) => {
    const found = await measured(activation, initializerOf)
    theory(activation === 'tanh' ? Math.tanh : relu, factor).forEach((deviation, i) => {
      // Of 500 units a layer's mean square strays by √(5 / 500) with relu, and half of that counts for a deviation.
      // Small tanh strays by √(2 / 500); large tanh corrects itself.
      const within = (3 * Math.sqrt((i + 1) * 0.01)) / 2
      t.true(Math.abs(found[i]! / deviation - 1) < within, `layer ${i + 1}: ${found[i]} instead of ${deviation}`)
    })
    t.log(found.map((deviation) => deviation.toPrecision(2)).join(' '))
  })
}

test('what the course shows: the tenth layer', (t) => {
  t.true(theory(Math.tanh, 0.05)[9]! < 1e-6)
  t.true(theory(Math.tanh, 500)[9]! > 0.95)
  t.true(theory(Math.tanh, 1)[9]! > 0.2)
  const halved = theory(relu, 1)
  t.true(Math.abs(halved[9]! / halved[0]! - 2 ** -4.5) < 1e-6)
  const kept = theory(relu, 2)
  t.true(Math.abs(kept[9]! / kept[0]! - 1) < 1e-6)
})
