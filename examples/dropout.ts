// Dropout keeps each unit with some probability while it trains and scales what it keeps, so that nothing changes when it
// predicts. The network cannot rely on single units: it behaves like an average over many thinned networks.
//
// What to see: 500 images and 500 hidden units overfit. Keeping all units, the training images are learnt nearly
// completely and validation accuracy is far behind; keeping a quarter, training accuracy is lower and the gap smaller,
// with a validation accuracy that is as good or better. Beware of names: our `rate` is the share that is dropped.
import { initializers, layers, optimizers, sequential, setSeed } from 'ferrograd'
import { accuracy } from './shared/accuracy.js'
import { exampleImages, seed } from './shared/images.js'

const { train, validation, classNames, inputShape } = await exampleImages({ train: 500 })

for (const keep of [1, 0.25]) {
  setSeed(seed)
  const kernelInitializer = initializers.randomNormal({ stdDev: 1e-2 })
  const model = sequential({
    inputShape,
    layers: [
      layers.flatten(),
      layers.dense({ units: 500, activation: 'relu', kernelInitializer }),
      layers.dropout({ rate: 1 - keep }),
      layers.dense({ units: classNames.length, kernelInitializer }),
    ],
  })
  model.compile({
    optimizer: optimizers.adam({ learningRate: 5e-4 }),
    loss: 'softmaxCrossEntropy',
    metrics: ['accuracy'],
  })
  await model.fit(train.images, train.labels, { epochs: 25, batchSize: 100, verbose: 0 })
  const [seen, unseen] = [await accuracy(model, train), await accuracy(model, validation)]
  console.log(
    `keep ${keep}: training ${seen.toFixed(3)}, validation ${unseen.toFixed(3)}, gap ${(seen - unseen).toFixed(3)}`,
  )
}
