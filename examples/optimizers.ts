// Six rules to go down one slope: the same network from the same weights, over the same batches.
//
// What to see: momentum and Nesterov's look ahead leave plain descent behind at its own rate. Adagrad, RMSProp and Adam
// scale each weight's step by how large its gradients were; Adagrad slows down as squares add up, the others forget.
import { datasets, layers, optimizers, sequential, setSeed } from 'ferrograd'

const { adagrad, adam, rmsprop, sgd } = optimizers
const runners = {
  sgd: sgd({ learningRate: 0.02 }),
  momentum: sgd({ learningRate: 0.02, momentum: 0.9 }),
  nesterov: sgd({ learningRate: 0.02, momentum: 0.9, nesterov: true }),
  adagrad: adagrad({ learningRate: 0.02 }),
  rmsprop: rmsprop({ learningRate: 0.002 }),
  adam: adam({ learningRate: 0.002 }),
}

const { train } = datasets.spiral({ points: 100, classes: 3, seed: 1 })
const epochs = 60

/** The loss of every epoch. */
async function race(optimizer: optimizers.Optimizer): Promise<number[]> {
  setSeed(1)
  const hidden = { units: 100, activation: 'relu', kernelInitializer: 'heNormal' } as const
  const model = sequential({ inputShape: [2], layers: [layers.dense(hidden), layers.dense({ units: 3 })] })
  model.compile({ optimizer, loss: 'softmaxCrossEntropy' })
  const { history } = await model.fit(train.images, train.labels, { epochs, batchSize: 32, seed: 1, verbose: 0 })
  return history.loss
}

const shown = [1, 2, 5, 10, 20, 40, 60]
console.log(`${'loss at epoch'.padEnd(13)} ${shown.map((epoch) => String(epoch).padStart(6)).join(' ')}`)
const last: [string, number][] = []
for (const [name, optimizer] of Object.entries(runners)) {
  const losses = await race(optimizer)
  console.log(`${name.padEnd(13)} ${shown.map((epoch) => losses[epoch - 1]!.toFixed(3).padStart(6)).join(' ')}`)
  last.push([name, losses.at(-1)!])
}
const order = last.sort(([, a], [, b]) => a - b).map(([name]) => name)
console.log(`first to last: ${order.join(', ')}`)
