// How large signals are in depth: a batch of normal numbers goes through ten layers of 500 units, as in the course's
// notes. The weights should be neither so small that it dies away, nor so large that it saturates or explodes.
import { initializers, layers, mean, randomNormal, type Tensor, variance } from 'ferrograd'

type Initializer = ReturnType<typeof initializers.randomNormal>

async function statistics(x: Tensor): Promise<string> {
  const [m, v] = await Promise.all([mean(x).item(), variance(x).item()])
  return `mean ${m.toFixed(4).padStart(8)}  std ${Math.sqrt(v).toFixed(4).padStart(8)}`
}

async function run(title: string, activation: 'tanh' | 'relu', kernelInitializer: Initializer): Promise<void> {
  console.log(`\n${title}`)
  let x = randomNormal([1000, 500], { seed: 0 })
  console.log(`  input     ${await statistics(x)}`)
  for (let i = 1; i <= 10; i++) {
    using layer = layers.dense({ units: 500, activation, kernelInitializer, useBias: false })
    const y = layer.apply(x)
    x.dispose()
    x = y
    console.log(`  layer ${String(i).padStart(2)}  ${await statistics(x)}`)
  }
  x.dispose()
}

const small = initializers.randomNormal({ stdDev: 0.01 })
const large = initializers.randomNormal({ stdDev: 1 })
await run('tanh, 0.01 · randn: everything becomes 0, and with it the gradients', 'tanh', small)
await run('tanh, 1 · randn: almost all units saturate at -1 and 1, where the gradient is 0', 'tanh', large)
await run('tanh, randn / √fanIn (xavier): the spread stays', 'tanh', initializers.xavier())
await run('relu, randn / √fanIn (xavier): half of each signal is cut off, and it fades', 'relu', initializers.xavier())
await run('relu, std √(2 / fanIn) (heNormal): the factor 2 makes up for it', 'relu', initializers.heNormal())
