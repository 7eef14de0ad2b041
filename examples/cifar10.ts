// A residual network on CIFAR-10: photographs of 32 × 32 pixels in ten classes, moved, mirrored and with a hole in ever other
// places. The network is the nine-layer one of D. Page (2018) with half of its filters.
//
// What to see: after the first epochs it passes the 75.3 % that Caffe's "quick" network needs 5,000 steps for, and at the end
// 90 %. CIFAR10_FOLDER names a folder that has the files already; in short form it takes the small digits of the package.
import { augment, batches, callbacks, datasets, type LabelledImages, optimizers, schedules, setSeed } from 'ferrograd'
import { seed } from './shared/images.js'
import { residualNetwork } from './shared/residual-network.js'

const short = process.env.EXAMPLES_SHORT === '1'
const folder = process.env.CIFAR10_FOLDER
const { train, test } = short ? datasets.digits() : await datasets.cifar10(folder === undefined ? {} : { folder })

const normalize = short ? { mean: 0.3, std: 0.4 } : { mean: [0.4914, 0.4822, 0.4465], std: [0.247, 0.2435, 0.2616] }
const change = augment.compose([
  augment.randomCrop({ padding: 4 }),
  augment.horizontalFlip(),
  augment.cutout({ size: 8 }),
])
const [epochs, size] = [short ? 3 : 15, 128]
setSeed(seed)
const model = residualNetwork(train.images.shape.slice(1))
const data = batches(train, { size, shuffle: true, seed, normalize, ...(short ? {} : { augment: change }) })
const judged = batches(test as LabelledImages, { size: 500, normalize })
const steps = epochs * data.length
const fall = schedules.cosineDecay({ initialLearningRate: 0.1, decaySteps: Math.ceil(steps * 0.8) })
const learningRate = schedules.warmup({ learningRate: fall, warmupSteps: Math.floor(steps * 0.2) })
model.compile({
  optimizer: optimizers.sgd({ learningRate, momentum: 0.9, nesterov: true, weightDecay: 5e-3 }),
  loss: 'softmaxCrossEntropy',
  metrics: ['accuracy'],
})
const record = process.env.HISTORY === undefined ? [] : [callbacks.csvLogger({ path: process.env.HISTORY })]
const start = performance.now()
const { history } = await model.fit(data, { epochs, validationData: judged, verbose: 2, callbacks: record })
const passed = history.val_accuracy!.findIndex((accuracy) => accuracy > 0.753) + 1
if (passed > 0) console.log(`above 75.3 % after ${passed * data.length} steps at the latest`)
const minutes = (performance.now() - start) / 60_000
console.log(`test accuracy: ${history.val_accuracy!.at(-1)!.toFixed(4)} after ${minutes.toFixed(1)} minutes`)
