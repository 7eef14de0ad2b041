// Batch normalisation makes every unit's outputs zero-centred with unit variance over the batch, then scales and shifts
// them by what it learns: γ·(x − μ) / √(σ² + ε) + β. Here a network of five hidden layers of 100 units and 1,000 images.
//
// What to see: with it, training accuracy climbs faster. On CIFAR-10 the course's solvers print .11 .31 .39 .49 .52 .60 .64
// at the start and after epochs 1 to 6. And it forgives what is fatal without: weights that start far too small, and
// learning rates that are far too large.
import { initializers, layers, optimizers, sequential, setSeed } from 'ferrograd'
import { accuracy } from './shared/accuracy.js'
import { exampleImages, seed } from './shared/images.js'

const { train, validation, classNames, inputShape } = await exampleImages({ train: 1000 })

function network(normalised: boolean, stdDev: number, learningRate: number) {
  const dense = (units: number) => layers.dense({ units, kernelInitializer: initializers.randomNormal({ stdDev }) })
  const hidden = () => [
    dense(100),
    ...(normalised ? [layers.batchNorm({ momentum: 0.9, epsilon: 1e-5, movingVarianceInitializer: 'zeros' })] : []),
    layers.activation({ activation: 'relu' }),
  ]
  const model = sequential({ inputShape, layers: [layers.flatten()] })
  for (let i = 0; i < 5; i++) for (const layer of hidden()) model.add(layer)
  model.add(dense(classNames.length))
  model.compile({ optimizer: optimizers.adam({ learningRate }), loss: 'softmaxCrossEntropy', metrics: ['accuracy'] })
  return model
}

/** Accuracy on the training images before the first epoch and after each, and on the validation images at the end. */
async function curve(normalised: boolean, stdDev: number, learningRate: number, epochs: number) {
  setSeed(seed)
  const model = network(normalised, stdDev, learningRate)
  const accuracies = [await accuracy(model, train)]
  for (let epoch = 0; epoch < epochs; epoch++) {
    await model.fit(train.images, train.labels, { initialEpoch: epoch, epochs: epoch + 1, batchSize: 50, verbose: 0 })
    accuracies.push(await accuracy(model, train))
  }
  return { accuracies, validation: await accuracy(model, validation) }
}

const digits = (numbers: number[]) => numbers.map((number) => number.toFixed(2)).join(' ')
for (const normalised of [true, false]) {
  const { accuracies, validation } = await curve(normalised, 2e-2, 1e-3, 10)
  console.log(`${normalised ? 'with' : 'without'}: ${digits(accuracies)}, validation ${validation.toFixed(2)}`)
}

console.log('training accuracy after 5 epochs, with and without batch normalisation:')
const settings = [
  { stdDev: 1e-4, learningRate: 1e-3 },
  { stdDev: 1e-3, learningRate: 1e-3 },
  { stdDev: 2e-2, learningRate: 1e-2 },
  { stdDev: 2e-2, learningRate: 1e-1 },
]
for (const { stdDev, learningRate } of settings) {
  const [normalised, plain] = [await curve(true, stdDev, learningRate, 5), await curve(false, stdDev, learningRate, 5)]
  const figures = digits([normalised.accuracies.at(-1)!, plain.accuracies.at(-1)!])
  console.log(`  initial weights ${stdDev}, learning rate ${learningRate}: ${figures}`)
}
