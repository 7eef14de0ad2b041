// Points on spiral arms: a small problem that no line separates.

import { rangeError } from '../errors.js'
import { checkCount, checkNumber, checkOptions } from '../initializers/options.js'
import { tensor } from '../tensor/create.js'
import { checkSeed, nextSeed, Random } from '../tensor/seed.js'
import type { Dataset, DatasetPart } from './dataset.js'
import { seedOfPass } from './order.js'

export interface SpiralOptions {
  /** Points of each class, in `train` and in `test`. Default 100. */
  points?: number
  /** Arms. Default 3. */
  classes?: number
  /** Standard deviation of the angle, in radians. Default 0.2. */
  noise?: number
  /** Seed of the noise; without one, `setSeed` decides. */
  seed?: number
}

/**
 * Points in the plane on `classes` spiral arms, `images` `[points · classes, 2]`, class by class. Point i of arm j stands
 * at radius r = i / (points − 1) and angle t = 4j + 4r + noise · N(0, 1): (r sin t, r cos t). `test` has as many points
 * with other noise.
 *
 * Source: the case study of Stanford's course CS231n.
 *
 * @example
 * ```ts
 * import { datasets } from 'ferrograd'
 * const { train } = datasets.spiral({ points: 100, classes: 3, seed: 1 })
 * console.log(train.images.shape, train.labels.shape) // [ 300, 2 ] [ 300 ]
 * ```
 */
export function spiral(options: SpiralOptions = {}): Dataset {
  checkOptions('datasets.spiral', options, ['points', 'classes', 'noise', 'seed'])
  const { points = 100, classes = 3, noise = 0.2, seed = nextSeed() } = options
  checkCount('datasets.spiral', 'points', points)
  checkCount('datasets.spiral', 'classes', classes)
  if (points * classes > 2 ** 24) {
    throw rangeError(`datasets.spiral: points · classes must be at most 2^24. got ${points} · ${classes}`)
  }
  checkNumber('datasets.spiral', 'noise', noise, 0)
  checkSeed('datasets.spiral', seed)
  return {
    train: part(points, classes, noise, seedOfPass(seed, 0)),
    test: part(points, classes, noise, seedOfPass(seed, 1)),
  }
}

function part(points: number, classes: number, noise: number, seed: number): DatasetPart {
  const random = new Random(seed)
  const images = new Float32Array(points * classes * 2)
  const labels = new Int32Array(points * classes)
  for (let sample = 0; sample < labels.length; sample++) {
    const arm = Math.floor(sample / points)
    const radius = points === 1 ? 0 : (sample % points) / (points - 1)
    const angle = 4 * arm + 4 * radius + noise * normal(random)
    images[2 * sample] = radius * Math.sin(angle)
    images[2 * sample + 1] = radius * Math.cos(angle)
    labels[sample] = arm
  }
  return {
    images: tensor(images, { shape: [labels.length, 2] }),
    labels: tensor(labels),
    classNames: Array.from({ length: classes }, (_, arm) => `arm ${arm}`),
  }
}

/** A number from the standard normal distribution (Box and Muller 1958). */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next())
}
