// Units that have stopped learning: tanh and sigmoid where they are flat, relu where it is 0 for every image. Badly
// chosen weights make them from the start, too large a learning rate while training.
import { datasets, initializers, layers, optimizers, type Sequential, sequential, setSeed } from 'ferrograd'

type Activation = 'sigmoid' | 'tanh' | 'relu'

const { train, test } = datasets.digits()

/** Five hidden layers, each followed by its activation as a layer of its own. */
function network(activation: Activation, kernelInitializer: ReturnType<typeof initializers.randomNormal>): Sequential {
  const hidden = Array.from({ length: 5 }, () => [
    layers.dense({ units: 100, kernelInitializer }),
    layers.activation({ activation }),
  ])
  return sequential({
    inputShape: [8, 8, 1],
    layers: [layers.flatten(), ...hidden.flat(), layers.dense({ units: 10 })],
  })
}

/** Of each hidden layer: the share of outputs near a flat end, or for relu of units that are 0 for all images. */
async function stuck(model: Sequential, activation: Activation): Promise<string> {
  const shares: string[] = []
  let x = test.images
  for (const layer of model.layers) {
    x = layer.apply(x) as typeof x
    if (layer.kind !== 'activation') continue
    const values = await x.data()
    const flat = { sigmoid: (y: number) => y < 0.01 || y > 0.99, tanh: (y: number) => Math.abs(y) > 0.99 }
    const dead = (unit: number) => values.every((y, i) => i % 100 !== unit || y === 0)
    const share =
      activation === 'relu'
        ? Array.from({ length: 100 }, (_, unit) => dead(unit)).filter(Boolean).length / 100
        : values.filter(flat[activation]).length / values.length
    shares.push(`${(100 * share).toFixed(0)} %`.padStart(5))
  }
  return shares.join(' ')
}

setSeed(1)
console.log('outputs of each layer that are saturated')
const large = initializers.randomNormal({ stdDev: 1 })
for (const activation of ['sigmoid', 'tanh'] as const) {
  console.log(`${activation.padEnd(8)} 1 · randn         ${await stuck(network(activation, large), activation)}`)
  const xavier = network(activation, initializers.xavier())
  console.log(`${activation.padEnd(8)} randn / √fanIn     ${await stuck(xavier, activation)}`)
}

console.log('\nrelu units of each layer that are 0 for every image')
for (const learningRate of [0.1, 0.6]) {
  setSeed(2)
  const model = network('relu', initializers.heNormal())
  console.log(`before training              ${await stuck(model, 'relu')}`)
  model.compile({ optimizer: optimizers.sgd({ learningRate }), loss: 'softmaxCrossEntropy', metrics: ['accuracy'] })
  await model.fit(train.images, train.labels, { epochs: 5, seed: 1, verbose: 0 })
  const { loss, accuracy } = await model.evaluate(test.images, test.labels)
  console.log(`learning rate ${String(learningRate).padEnd(4)}           ${await stuck(model, 'relu')}`)
  console.log(`  loss ${loss.toFixed(2)}, accuracy ${accuracy!.toFixed(2)}`)
}
