// Trains a small convolutional network on 1,437 handwritten digits and reads 360 others: `npm start`.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { callbacks, datasets, layers, sequential, setSeed, threads } from 'ferrograd'

const epochs = process.env.EXAMPLES_SHORT === '1' ? 2 : 20
setSeed(1)
const { train, test } = datasets.digits()

const relu = { padding: 'same', activation: 'relu', kernelInitializer: 'heNormal' } as const
const model = sequential({
  inputShape: [8, 8, 1],
  layers: [
    layers.conv2d({ filters: 32, kernelSize: 3, ...relu }),
    layers.conv2d({ filters: 64, kernelSize: 3, ...relu }),
    layers.maxPool2d({ poolSize: 2 }),
    layers.conv2d({ filters: 64, kernelSize: 3, ...relu }),
    layers.flatten(),
    layers.dropout({ rate: 0.4 }),
    layers.dense({ units: 10 }),
  ],
})
model.summary()
model.compile({ optimizer: 'adam', loss: 'softmaxCrossEntropy', metrics: ['accuracy'] })

// Large steps at first, ever smaller ones towards the end: half a cosine.
const cosine = callbacks.learningRateScheduler((epoch) => 0.001 * (1 + Math.cos((Math.PI * epoch) / epochs)))

// While the network trains on other threads, this one is free. The longest time that a timer had to wait shows it.
const interval = 1
const delay = monitorEventLoopDelay({ resolution: interval })
delay.enable()
const began = performance.now()
await model.fit(train.images, train.labels, { epochs, callbacks: [cosine] })
const seconds = (performance.now() - began) / 1000
delay.disable()

const { accuracy } = await model.evaluate(test.images, test.labels)
const images = train.labels.size * epochs
console.log(`trained ${Math.round(images / seconds).toLocaleString('en')} images a second on ${threads()} threads`)
console.log(`longest pause of the event loop: ${Math.max(0, delay.max / 1e6 - interval).toFixed(1)} ms`)
console.log(`test accuracy: ${accuracy!.toFixed(3)}`)
