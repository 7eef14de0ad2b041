// Handwritten digits as everybody knows them: a small convolutional network on MNIST, fetched and checked on first use.
//
// What to see: a test accuracy above 0.992 after ten epochs. DATASET=fashion takes photographs of clothing instead, where the
// same network passes 0.916, the best of the networks with two convolutions in the table of Fashion-MNIST's authors. MNIST_FOLDER
// names a folder that has the four files already. In short form: the small digits of the package.
import { augment, batches, datasets, layers, optimizers, schedules, sequential, setSeed } from 'ferrograd'
import { accuracy } from './shared/accuracy.js'
import { seed } from './shared/images.js'

const short = process.env.EXAMPLES_SHORT === '1'
const fashion = process.env.DATASET === 'fashion'
const folder = process.env.MNIST_FOLDER
const where = folder === undefined ? {} : { folder }
const load = fashion ? datasets.fashionMnist : datasets.mnist
const { train, test } = short ? datasets.digits() : await load(where)

setSeed(seed)
const relu = { kernelSize: 3, padding: 'same', activation: 'relu', kernelInitializer: 'heNormal' } as const
const model = sequential({
  inputShape: train.images.shape.slice(1),
  layers: [
    layers.conv2d({ filters: 32, ...relu }),
    layers.maxPool2d({ poolSize: 2 }),
    layers.conv2d({ filters: 64, ...relu }),
    layers.maxPool2d({ poolSize: 2 }),
    layers.flatten(),
    layers.dropout({ rate: 0.4 }),
    layers.dense({ units: 256, activation: 'relu', kernelInitializer: 'heNormal' }),
    layers.dropout({ rate: 0.4 }),
    layers.dense({ units: 10 }),
  ],
})
const [epochs, size] = [short ? 8 : fashion ? 20 : 10, short ? 32 : 128]
// Digits may be a little further to the left, and clothing in a mirror is clothing.
const change = fashion ? augment.horizontalFlip() : augment.randomCrop({ padding: 2 })
const data = batches(train, { size, shuffle: true, seed, ...(short ? {} : { augment: change }) })
const learningRate = schedules.cosineDecay({ initialLearningRate: 0.002, decaySteps: epochs * data.length })
model.compile({
  optimizer: optimizers.adam({ learningRate }),
  loss: 'softmaxCrossEntropy',
  metrics: ['accuracy'],
})
const start = performance.now()
await model.fit(data, { epochs, verbose: 2 })
const seconds = (performance.now() - start) / 1000
console.log(`test accuracy: ${(await accuracy(model, test)).toFixed(4)} after ${seconds.toFixed(0)} s`)
