// Handwritten digits that come with the package.

import { inflateSync } from 'node:zlib'
import { tensor } from '../tensor/create.js'
import type { Dataset, DatasetPart } from './dataset.js'
import { digitsData } from './digits-data.js'

const COUNT = 1797
const PIXELS = 8 * 8

/**
 * 1,797 handwritten digits of 8 × 8 pixels, ten classes: `images` `[N, 8, 8, 1]` with values from 0 (paper) to 1 (ink).
 *
 * The split is always the same: with all digits listed class by class, in the order of the file within a class, every
 * fifth from the first on is a test image. That leaves 1,437 to train on and 360 to test, and every class is split
 * four to one.
 *
 * Source: Optical Recognition of Handwritten Digits, E. Alpaydin and C. Kaynak, UCI Machine Learning Repository (1998),
 * CC BY 4.0; the test half of it, as scikit-learn distributes it. Values were scaled from 0…16 to 0…1.
 *
 * @example
 * ```ts
 * import { datasets } from 'ferrograd'
 * const { train, test } = datasets.digits()
 * console.log(train.images.shape, test.labels.shape) // [ 1437, 8, 8, 1 ] [ 360 ]
 * ```
 */
export function digits(): Dataset {
  const bytes = inflateSync(Buffer.from(digitsData, 'base64'))
  const pixels = bytes.subarray(0, COUNT * PIXELS)
  const labels = bytes.subarray(COUNT * PIXELS)
  const byClass = Array.from(labels.keys()).sort((a, b) => labels[a]! - labels[b]! || a - b)
  const isTest = new Uint8Array(COUNT)
  byClass.forEach((sample, i) => {
    isTest[sample] = i % 5 === 0 ? 1 : 0
  })
  const part = (test: number): DatasetPart => {
    const samples = Array.from(labels.keys()).filter((sample) => isTest[sample] === test)
    const images = new Float32Array(samples.length * PIXELS)
    samples.forEach((sample, i) => {
      for (let pixel = 0; pixel < PIXELS; pixel++) images[i * PIXELS + pixel] = pixels[sample * PIXELS + pixel]! / 16
    })
    return {
      images: tensor(images, { shape: [samples.length, 8, 8, 1] }),
      labels: tensor(Int32Array.from(samples, (sample) => labels[sample]!)),
      classNames: Array.from({ length: 10 }, (_, digit) => String(digit)),
    }
  }
  return { train: part(0), test: part(1) }
}
