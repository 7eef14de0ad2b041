// Batches for a training loop of one's own, and for fit.

import type { Augmentation } from '../augment/augmentation.js'
import { checkAugmentation } from '../augment/compose.js'
import { show, typeError } from '../errors.js'
import { checkBoolean, checkCount, checkOptions } from '../initializers/options.js'
import type { ChannelStatistics } from '../ops/pixels.js'
import { checkSeed, mixSeed, nextSeed } from '../tensor/seed.js'
import { arraySource, type LabelledSamples } from './array-source.js'
import { checkNormalize, type NormalizeOptions } from './channel-statistics.js'
import { Order, seedOfPass } from './order.js'
import type { NumberedBatch, SampleSource, TensorBatch } from './sample-source.js'

export interface BatchesOptions {
  /** Samples in a batch. Default 32. */
  size?: number
  /** Whether every pass has a new random order. Default false. */
  shuffle?: boolean
  /** Seed of the shuffle and of `augment`; without one, `setSeed` decides. */
  seed?: number
  /** Leave out a last batch that would be smaller. Default false. */
  dropRemainder?: boolean
  /**
   * Makes (x − mean) / std of the inputs, with one number for each channel (the last axis) or one for all. Pixels of
   * uint8 are scaled to 0…1 before.
   */
  normalize?: NormalizeOptions
  /**
   * Changes each batch at random before its pixels become floats: uint8 images are still 0…255. What happens to a sample is
   * the same for the same seed, sample and pass, whatever the size of the batches.
   */
  augment?: Augmentation
}

/** Far from the passes that the order of samples counts with the same seed. */
const CHANGES = 2 ** 40

/** How to go through the samples. */
interface Course {
  readonly size: number
  readonly dropRemainder: boolean
  /** Seeds of the order and of the changes; none where there is nothing random. */
  readonly order: number | undefined
  readonly changes: number | undefined
  readonly normalize: ChannelStatistics | undefined
  readonly augment: Augmentation | undefined
}

/** What {@link batches} returns: each `for await` is one pass over the data. */
export class Batches implements AsyncIterable<TensorBatch> {
  /** Batches in one pass. */
  readonly length: number
  private pass = 0

  /** @internal */
  constructor(
    private readonly source: SampleSource,
    private readonly course: Course,
  ) {
    const { count } = source
    const { size, dropRemainder } = course
    this.length = dropRemainder ? Math.floor(count / size) : Math.ceil(count / size)
  }

  [Symbol.asyncIterator](): AsyncGenerator<TensorBatch, void, undefined> {
    return this.open(this.pass, 0)
  }

  /** @internal One pass from one of its batches on. The pass after it is the next to be gone through. */
  open(pass: number, first: number): AsyncGenerator<TensorBatch, void, undefined> {
    this.pass = pass + 1
    return this.give(pass, first)
  }

  private async *give(pass: number, first: number): AsyncGenerator<TensorBatch, void, undefined> {
    for await (const { xs, ys } of this.load(pass, first)) {
      try {
        yield { xs, ys }
      } finally {
        xs.dispose()
        ys.dispose()
      }
    }
  }

  private async *load(pass: number, first: number): AsyncGenerator<NumberedBatch, void, undefined> {
    const { source, course } = this
    const { size, normalize, augment, changes } = course
    const order = new Order(source.count, course.order === undefined ? undefined : seedOfPass(course.order, pass))
    for (let i = first; i < this.length; i++) {
      const samples = order.slice(i * size, Math.min((i + 1) * size, source.count))
      const change = augment && ((batch: TensorBatch) => augment.apply(batch, { seed: changes, samples, pass }))
      yield { ...(await source.load(samples, normalize, change)), samples, pass }
    }
  }
}

/**
 * The data in batches `{ xs, ys }`, for `for await` and for `fit`: `xs` `[size, …]` and `ys` with the labels of the same
 * samples. The last batch holds what is left. A batch is freed when the next one is asked for.
 *
 * **uint8 are pixels.** Images that are kept as bytes, 0…255, come out as float32 from 0 to 1, which costs one native pass
 * over the batch and a quarter of the memory of float images. `normalize` is worked into the same pass. Other dtypes stay
 * what they are, and so do labels.
 *
 * With `shuffle`, pass after pass has another order, and the same seed gives the same sequence of orders. With `augment`, pass
 * after pass changes the samples in other ways: `batches(train, { shuffle: true, augment: augment.horizontalFlip() })`.
 *
 * `source` is a part of a dataset, `{ images, labels }`, or `{ xs, ys }`: tensors, nested arrays or typed arrays. Throws a
 * {@link ShapeError} when the two have not equally many samples.
 *
 * @example
 * ```ts
 * import { batches, tensor } from 'ferrograd'
 * const source = { images: tensor([[1], [2], [3]]), labels: tensor([1, 0, 1], { dtype: 'int32' }) }
 * const list = batches(source, { size: 2 })
 * for await (const { xs, ys } of list) {
 *   console.log(list.length, xs.shape[0], await ys.array()) // 2 2 [ 1, 0 ]
 * }
 * const pixels = { images: new Uint8Array([0, 51, 255]), labels: [0, 1, 1] }
 * for await (const { xs } of batches(pixels)) console.log(await xs.data()) // Float32Array(3) [ 0, 0.20000000298023224, 1 ]
 * ```
 */
export function batches(source: LabelledSamples, options: BatchesOptions = {}): Batches {
  const known = ['size', 'shuffle', 'seed', 'dropRemainder', 'normalize', 'augment'] as const
  checkOptions('batches', options, known)
  const { size = 32, shuffle = false, seed, dropRemainder = false, augment } = options
  checkCount('batches', 'size', size)
  checkBoolean('batches', 'shuffle', shuffle)
  checkBoolean('batches', 'dropRemainder', dropRemainder)
  if (augment !== undefined) checkAugmentation('batches: augment', augment)
  if (seed !== undefined) {
    checkSeed('batches', seed)
    if (!shuffle && augment === undefined) {
      throw typeError('batches: seed has no effect without shuffle: true or augment')
    }
  }
  const normalize = options.normalize === undefined ? undefined : checkNormalize('batches', options.normalize)
  const samples = sourceOf(source, normalize)
  const from = shuffle || augment !== undefined ? (seed ?? nextSeed()) : 0
  const [order, changes] = [shuffle ? from : undefined, augment && mixSeed(from, CHANGES)]
  return new Batches(samples, { size, dropRemainder, order, changes, normalize, augment })
}

function sourceOf(source: LabelledSamples, normalize: ChannelStatistics | undefined): SampleSource {
  if (typeof source !== 'object' || source === null || !('images' in source || 'xs' in source)) {
    throw typeError(`batches: the source must be { images, labels } or { xs, ys }. got ${show(source)}`)
  }
  return arraySource('batches', source, normalize)
}
