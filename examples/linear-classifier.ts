// Linear classification: one template for each class, whose inner product with an image is the score of the class, learnt
// with the SVM's hinge loss or with softmax's cross-entropy. The inputs are pixels from 0 to 255, so the steps are tiny.
//
// What to see on CIFAR-10: 38 to 40 % of the validation images, where guessing gives 10 %. The templates,
// written as a picture, show why not more: a horse with two heads, since one template has to fit both ways of standing.
import { fileURLToPath } from 'node:url'
import {
  imageGrid,
  initializers,
  layers,
  optimizers,
  regularizers,
  reshape,
  sequential,
  setSeed,
  transpose,
} from 'ferrograd'
import sharp from 'sharp'
import { accuracy } from './shared/accuracy.js'
import { exampleImages, seed } from './shared/images.js'

const { train, validation, classNames, inputShape, full } = await exampleImages()
// Digits have 48 times fewer pixels to add up than photographs, and fewer steps in an epoch.
const settings = {
  svm: full ? { learningRate: 1e-7, l2: 2.5e4, epochs: 8 } : { learningRate: 5e-6, l2: 500, epochs: 30 },
  softmaxCrossEntropy: full ? { learningRate: 5e-7, l2: 1e3, epochs: 8 } : { learningRate: 2e-5, l2: 50, epochs: 30 },
}

for (const loss of ['svm', 'softmaxCrossEntropy'] as const) {
  const { learningRate, l2, epochs } = settings[loss]
  setSeed(seed)
  const scores = layers.dense({
    units: classNames.length,
    kernelInitializer: initializers.randomNormal({ stdDev: 1e-4 }),
    kernelRegularizer: regularizers.l2({ l2 }),
  })
  const model = sequential({ inputShape, layers: [layers.flatten(), scores] })
  const optimizer = optimizers.sgd({ learningRate })
  model.compile({ optimizer, loss, metrics: ['accuracy'] })
  await model.fit(train.images, train.labels, { epochs, batchSize: 200, verbose: 0 })
  const [seen, unseen] = [await accuracy(model, train), await accuracy(model, validation)]
  console.log(`${loss}: accuracy ${seen.toFixed(3)} in training, ${unseen.toFixed(3)} in validation`)

  const kernel = model.weights[0]!
  const templates = reshape(transpose(kernel), [classNames.length, ...inputShape])
  const picture = imageGrid(templates, { columns: 5, padding: 2 })
  const [height, width, channels] = picture.shape as [number, number, 1 | 3]
  const path = fileURLToPath(new URL(`templates-${loss}.png`, import.meta.url))
  await sharp((await picture.data()) as Uint8Array, { raw: { width, height, channels } })
    .resize({ width: width * 3, kernel: 'nearest' })
    .png()
    .toFile(path)
  console.log(`  its templates (${classNames.join(', ')}): ${path}`)
}
