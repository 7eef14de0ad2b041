// What the examples train on, chosen in one place: CIFAR-10 where `datasets.cifar10()` has fetched it before, or where
// CIFAR10_FOLDER names a folder with its data_batch_*.bin; else, or with EXAMPLES_SHORT=1, the handwritten digits of the
// package, so that every example runs anywhere in seconds.
import { cast, datasets, type LabelledImages, mean, mul, scope, slice, sub, tensor } from 'ferrograd'

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
  const photographs = await cifar10()
  const full = photographs !== undefined
  const { images, labels, classNames } = photographs ?? digits()
  const split = full ? 49_000 : 1100
  const train = Math.min(sizes.train ?? split, split)
  const validation = Math.min(sizes.validation ?? 1000, labels.size - split)
  const name = full ? 'CIFAR-10' : 'short form on the digits, 8 × 8'
  console.log(`${name}: ${train} images to train on, ${validation} to validate`)
  const parts = scope(() => {
    const pixels = (begin: number, size: number) => cast(slice(images, { begin, size }), { dtype: 'float32' })
    const centre = mean(pixels(0, split), { axis: 0 })
    const part = (begin: number, size: number): LabelledImages => ({
      images: sub(pixels(begin, size), centre),
      labels: slice(labels, { begin, size }),
    })
    return { train: part(0, train), validation: part(split, validation) }
  })
  images.dispose()
  return { ...parts, classNames, inputShape: images.shape.slice(1), full }
}

async function cifar10() {
  if (process.env.EXAMPLES_SHORT === '1') return undefined
  const folder = process.env.CIFAR10_FOLDER
  try {
    return (await datasets.cifar10(folder ? { folder } : { offline: true })).train
  } catch (error) {
    if ((error as { code?: string }).code === 'ERR_OFFLINE') return undefined
    throw error
  }
}

function digits() {
  const { images, labels, classNames } = datasets.digits().train
  return { images: mul(images, tensor(255)), labels, classNames }
}
