// A small convolutional network learns real handwritten digits, while the event loop stays free.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { callbacks, datasets, layers, optimizers, sequential, setSeed, threads } from 'ferrograd'

setSeed(1)
const { train, test } = datasets.digits()
const epochs = 20

const model = sequential({
  inputShape: [8, 8, 1],
  layers: [
    layers.conv2d({ filters: 32, kernelSize: 3, padding: 'same', activation: 'relu', kernelInitializer: 'heNormal' }),
    layers.conv2d({ filters: 32, kernelSize: 3, padding: 'same', activation: 'relu', kernelInitializer: 'heNormal' }),
    layers.maxPool2d({ poolSize: 2 }),
    layers.conv2d({ filters: 64, kernelSize: 3, padding: 'same', activation: 'relu', kernelInitializer: 'heNormal' }),
    layers.flatten(),
    layers.dropout({ rate: 0.4 }),
    layers.dense({ units: 10 }),
  ],
})
model.summary()
model.compile({
  optimizer: optimizers.adam({ learningRate: 0.002 }),
  loss: 'softmaxCrossEntropy',
  metrics: ['accuracy'],
})

const delay = monitorEventLoopDelay({ resolution: 1 })
delay.enable()
const start = performance.now()
await model.fit(train.images, train.labels, {
  epochs,
  batchSize: 32,
  callbacks: [callbacks.learningRateScheduler((epoch, rate) => (epoch < 10 ? rate : rate * 0.8))],
})
const seconds = (performance.now() - start) / 1000
delay.disable()

const { accuracy } = await model.evaluate(test.images, test.labels)
const images = epochs * train.images.shape[0]!
console.log(`trained ${Math.round(images / seconds).toLocaleString('en')} images a second on ${threads()} threads`)
console.log(`longest pause of the event loop: ${(delay.max / 1e6).toFixed(1)} ms`)
console.log(`test accuracy: ${accuracy!.toFixed(3)}`)
