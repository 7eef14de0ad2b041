// Batches for a training loop of one's own, and for fit.

import { show, typeError } from '../errors.js'
import { checkBoolean, checkCount, checkOptions } from '../initializers/options.js'
import type { ChannelStatistics } from '../ops/pixels.js'
import { checkSeed, nextSeed } from '../tensor/seed.js'
import { arraySource, type LabelledSamples } from './array-source.js'
import { checkNormalize, type NormalizeOptions } from './channel-statistics.js'
import { Order, seedOfPass } from './order.js'
import type { NumberedBatch, SampleSource, TensorBatch } from './sample-source.js'

export interface BatchesOptions {
  /** Samples in a batch. Default 32. */
  size?: number
  /** Whether every pass has a new random order. Default false. */
  shuffle?: boolean
  /** Seed of the shuffle; without one, `setSeed` decides. */
  seed?: number
  /** Leave out a last batch that would be smaller. Default false. */
  dropRemainder?: boolean
  /**
   * Makes (x − mean) / std of the inputs, with one number for each channel (the last axis) or one for all. Pixels of
   * uint8 are scaled to 0…1 before.
   */
  normalize?: NormalizeOptions
}

/** What {@link batches} returns: each `for await` is one pass over the data. */
export class Batches implements AsyncIterable<TensorBatch> {
  /** Batches in one pass. */
  readonly length: number
  private pass = 0

  /** @internal */
  constructor(
    private readonly source: SampleSource,
    private readonly size: number,
    private readonly seed: number | undefined,
    dropRemainder: boolean,
    private readonly normalize: ChannelStatistics | undefined,
  ) {
    const { count } = source
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
    const { source, size, seed, normalize } = this
    const order = new Order(source.count, seed === undefined ? undefined : seedOfPass(seed, pass))
    for (let i = first; i < this.length; i++) {
      const samples = order.slice(i * size, Math.min((i + 1) * size, source.count))
      yield { ...(await source.load(samples, normalize)), samples, pass }
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
 * With `shuffle`, pass after pass has another order, and the same seed gives the same sequence of orders.
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
  const known = ['size', 'shuffle', 'seed', 'dropRemainder', 'normalize'] as const
  checkOptions('batches', options, known)
  const { size = 32, shuffle = false, seed, dropRemainder = false } = options
  checkCount('batches', 'size', size)
  checkBoolean('batches', 'shuffle', shuffle)
  checkBoolean('batches', 'dropRemainder', dropRemainder)
  if (seed !== undefined) {
    checkSeed('batches', seed)
    if (!shuffle) throw typeError('batches: seed has no effect without shuffle: true')
  }
  const normalize = options.normalize === undefined ? undefined : checkNormalize('batches', options.normalize)
  const samples = sourceOf(source, normalize)
  return new Batches(samples, size, shuffle ? (seed ?? nextSeed()) : undefined, dropRemainder, normalize)
}

function sourceOf(source: LabelledSamples, normalize: ChannelStatistics | undefined): SampleSource {
  if (typeof source !== 'object' || source === null || !('images' in source || 'xs' in source)) {
    throw typeError(`batches: the source must be { images, labels } or { xs, ys }. got ${show(source)}`)
  }
  return arraySource('batches', source, normalize)
}
