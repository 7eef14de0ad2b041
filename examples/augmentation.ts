// Data augmentation shows a network every image in ever other forms that mean the same: moved, turned, mirrored. It costs
// no images, and the network cannot learn by heart what it never sees twice.
//
// What to see: 200 digits (of CIFAR-10: 5,000 photographs) are too few. Without augmentation the training images are learnt
// completely; with it training accuracy is lower, validation accuracy higher and the gap much smaller.
// AUGMENTATION_PICTURE=file.png draws the first images, each in several forms.
import { augment, batches, concat, imageGrid, layers, sequential, setSeed, slice } from 'ferrograd'
import sharp from 'sharp'
import { accuracy } from './shared/accuracy.js'
import { exampleImages, seed } from './shared/images.js'

const full = process.env.CIFAR10_FOLDER !== undefined && process.env.EXAMPLES_SHORT !== '1'
const { train, validation, classNames, inputShape } = await exampleImages({ train: full ? 5000 : 200 })

// A digit is no longer the same when it is mirrored; a ship is.
const change = full
  ? augment.compose([augment.randomCrop({ padding: 4 }), augment.horizontalFlip(), augment.cutout({ size: 8 })])
  : augment.compose([augment.randomCrop({ padding: 1 }), augment.rotation({ degrees: 15 })])

const relu = { kernelSize: 3, padding: 'same', activation: 'relu', kernelInitializer: 'heNormal' } as const

async function trainWith(augmentation?: augment.Augmentation): Promise<void> {
  setSeed(seed)
  const model = sequential({
    inputShape,
    layers: [
      layers.conv2d({ filters: 16, ...relu }),
      layers.maxPool2d({ poolSize: 2 }),
      layers.conv2d({ filters: 32, ...relu }),
      layers.maxPool2d({ poolSize: 2 }),
      layers.flatten(),
      layers.dense({ units: classNames.length }),
    ],
  })
  model.compile({ optimizer: 'adam', loss: 'softmaxCrossEntropy', metrics: ['accuracy'] })
  const data = batches(train, { size: 32, shuffle: true, seed, ...(augmentation && { augment: augmentation }) })
  await model.fit(data, { epochs: full ? 30 : 100, verbose: 0 })
  const [seen, unseen] = [await accuracy(model, train), await accuracy(model, validation)]
  console.log(
    `${augmentation ? 'augmented' : 'as it is '}: training ${seen.toFixed(3)}, validation ${unseen.toFixed(3)}, gap ${(seen - unseen).toFixed(3)}`,
  )
}

await trainWith()
await trainWith(change)

const file = process.env.AUGMENTATION_PICTURE
if (file !== undefined) {
  const xs = slice(train.images, { begin: 0, size: 12 })
  const forms = [0, 1, 2, 3].map((pass) => change.apply({ xs }, { seed, pass }).xs)
  const picture = imageGrid(concat([xs, ...forms], { axis: 0 }), { columns: 12 })
  const [height, width, channels] = picture.shape as [number, number, 1 | 3]
  await sharp((await picture.data()) as Uint8Array, { raw: { width, height, channels } })
    .resize({ width: 4 * width, kernel: 'nearest' })
    .toFile(file)
}
