// What the examples train on, chosen in one place: CIFAR-10 where CIFAR10_FOLDER names a folder with its data_batch_*.bin;
// else, or with EXAMPLES_SHORT=1, the handwritten digits of the package, so that every example runs anywhere in seconds.
import { datasets, type LabelledImages, mean, mul, scope, slice, sub, tensor } from 'ferrograd'
import { readCifar10 } from './cifar10.js'

/** Of initializers, shuffling and dropout; EXAMPLES_SEED gives another. */
export const seed = Number(process.env.EXAMPLES_SEED ?? 1)

export interface ExampleImages {
  /** Zero-centred as in the course: pixels from 0 to 255 less the mean image of all that is not for validation. */
  train: LabelledImages
  validation: LabelledImages
  classNames: string[]
  /** `[height, width, channels]` */
  inputShape: number[]
  /** Whether these are CIFAR-10, which the course's figures are about. */
  full: boolean
}

/** The first `train` images to learn from, and `validation` others to judge by; says which. Default 49,000 and 1,000. */
export async function exampleImages(sizes: { train?: number; validation?: number } = {}): Promise<ExampleImages> {
  const folder = process.env.EXAMPLES_SHORT === '1' ? '' : (process.env.CIFAR10_FOLDER ?? '')
  const full = folder !== ''
  const all = full ? await readCifar10(folder) : digits()
  const split = full ? 49_000 : 1100
  const train = Math.min(sizes.train ?? split, split)
  const validation = Math.min(sizes.validation ?? 1000, all.labels.size - split)
  const name = full ? 'CIFAR-10' : 'short form on the digits, 8 × 8 (set CIFAR10_FOLDER for the real one)'
  console.log(`${name}: ${train} images to train on, ${validation} to validate`)
  const parts = scope(() => {
    const centre = mean(slice(all.images, { begin: 0, size: split }), { axis: 0 })
    const part = (begin: number, size: number): LabelledImages => ({
      images: sub(slice(all.images, { begin, size }), centre),
      labels: slice(all.labels, { begin, size }),
    })
    return { train: part(0, train), validation: part(split, validation) }
  })
  all.images.dispose()
  return { ...parts, classNames: all.classNames, inputShape: all.images.shape.slice(1), full }
}

function digits() {
  const { images, labels, classNames } = datasets.digits().train
  return { images: mul(images, tensor(255)), labels, classNames }
}
