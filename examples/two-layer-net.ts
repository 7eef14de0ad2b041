// A two-layer network on flattened images: max(0, x·W₁ + b₁)·W₂ + b₂. Its hidden units are many templates in place of one
// for each class, and the second layer mixes them.
//
// What to see on CIFAR-10: more than 50 % of the validation images, where one layer stops below 40 %. Training accuracy
// runs ahead of validation accuracy: the network begins to overfit, and the regularisation holds it back.
import { callbacks, initializers, layers, optimizers, regularizers, sequential, setSeed } from 'ferrograd'
import { exampleImages, seed } from './shared/images.js'

const { train, validation, classNames, inputShape, full } = await exampleImages()
const learningRate = full ? 1e-3 : 1e-2 // the digits have fewer pixels to add up, and fewer steps
const [epochs, hidden, decay, reg] = [15, 300, 0.95, 0.25]

setSeed(seed)
const common = {
  kernelInitializer: initializers.randomNormal({ stdDev: 1e-4 }),
  kernelRegularizer: regularizers.l2({ l2: reg / 2 }),
} as const
const model = sequential({
  inputShape,
  layers: [
    layers.flatten(),
    layers.dense({ units: hidden, activation: 'relu', ...common }),
    layers.dense({ units: classNames.length, ...common }),
  ],
})
model.compile({ optimizer: optimizers.sgd({ learningRate }), loss: 'softmaxCrossEntropy', metrics: ['accuracy'] })
const { history } = await model.fit(train.images, train.labels, {
  epochs,
  batchSize: 200,
  validationData: [validation.images, validation.labels],
  callbacks: [callbacks.learningRateScheduler((epoch) => learningRate * decay ** epoch)],
  verbose: 2,
})
console.log(`validation accuracy: ${history.val_accuracy!.at(-1)!.toFixed(3)}`)
