// Batches for a training loop of one's own, and for fit.

import type { Augmentation } from '../augment/augmentation.js'
import { checkAugmentation } from '../augment/compose.js'
import { show, typeError } from '../errors.js'
import { checkBoolean, checkChoice, checkCount, checkOptions } from '../initializers/options.js'
import type { ChannelStatistics } from '../ops/pixels.js'
import { checkSeed, mixSeed, nextSeed } from '../tensor/seed.js'
import { ahead } from './ahead.js'
import { arraySource, type LabelledSamples } from './array-source.js'
import { changedBatch } from './changed-batch.js'
import { checkNormalize, type NormalizeOptions } from './channel-statistics.js'
import { ImageFolder } from './image-folder-part.js'
import { seedOfPass } from './order.js'
import type { NumberedBatch, SampleSource, TensorBatch } from './sample-source.js'
import { isStream, type SampleStream, streamSource } from './stream-source.js'

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
   * Changes the samples at random before they are normalised, pixels as the bytes that they are. Each sample is changed in
   * another way in each pass, and in the same way for a seed, whatever batch it is in.
   */
  augment?: Augmentation
  /** Of streams and folders: how many batches are got ready while one is worked on. Default 2. */
  prefetch?: number
  /** Of streams: how many samples a shuffle draws from. Default 1024. */
  shuffleBuffer?: number
  /** Of labels that are plain numbers. Default: 'int32' if they are single whole numbers, else 'float32'. */
  labelDType?: 'int32' | 'float32'
}

/** @internal The options of {@link batches}, checked. */
export interface CheckedBatchesOptions {
  size: number
  dropRemainder: boolean
  shuffle: boolean
  /** Of the order and of `augment`. */
  seed: number
  normalize: ChannelStatistics | undefined
  augment: Augmentation | undefined
  prefetch: number
}

/** What {@link batches} returns: each `for await` is one pass over the data. */
export class Batches<Length extends number | undefined = number> implements AsyncIterable<TensorBatch> {
  /** Batches in one pass; undefined for a stream. */
  readonly length: Length
  /** @internal Labels are below this, where that is known. */
  readonly $classes: number | undefined
  private pass = 0

  /** @internal */
  constructor(
    private readonly source: SampleSource,
    private readonly options: CheckedBatchesOptions,
  ) {
    const { count, classes } = source
    const { size, dropRemainder } = options
    const length = count && (dropRemainder ? Math.floor(count / size) : Math.ceil(count / size))
    this.length = length as Length
    this.$classes = classes
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
    const { source, options } = this
    const { size, dropRemainder, shuffle, seed, normalize, augment, prefetch } = options
    const order = shuffle ? seedOfPass(seed, pass) : undefined
    const raw = augment !== undefined
    const loaded = source.open({ size, dropRemainder, seed: order, first, normalize, raw })
    for await (const batch of source.waits && prefetch > 0 ? ahead(loaded, prefetch, free) : loaded) {
      const finished = finish(batch, pass, options)
      try {
        yield finished
      } finally {
        free(finished)
      }
    }
  }
}

function free({ xs, ys }: TensorBatch): void {
  xs.dispose()
  ys.dispose()
}

/** Far from the passes that the order of samples counts with the same seed. */
const CHANGES = 2 ** 40

/** The batch as the model takes it. Takes `batch` over. */
function finish(batch: NumberedBatch, pass: number, options: CheckedBatchesOptions): TensorBatch {
  const { xs, ys, samples, finished } = batch
  if (finished) return { xs, ys }
  const { augment, normalize } = options
  const seed = mixSeed(options.seed, CHANGES)
  const change = (raw: TensorBatch) => augment?.apply(raw, { seed, samples, pass }) ?? raw
  try {
    return changedBatch('batches', () => ({ xs, ys }), change, normalize)
  } finally {
    free(batch)
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
 * `source` is one of
 * - a part of a dataset, `{ images, labels }`, or `{ xs, ys }`: tensors, nested arrays or typed arrays;
 * - a part of `datasets.imageFolder`;
 * - a stream that need not fit into memory: anything that can be iterated, waiting or not, or a generator function, which
 *   is called for each pass. It gives samples, `{ x, y }` or `{ image, label }`, or batches of them of any size, `{ xs, ys }`
 *   or `{ images, labels }`. Only as many are asked for as `prefetch` and `shuffleBuffer` say.
 *
 * With `shuffle`, pass after pass has another order, and the same seed gives the same sequence of orders. Samples of a
 * stream are drawn at random from a buffer of the next `shuffleBuffer` ones: sorted data needs a buffer that is as long as
 * its runs.
 *
 * Throws a {@link ShapeError} when there are not equally many samples and labels, or samples of a stream differ in shape.
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
 * async function* stream() {
 *   for (let i = 0; i < 5; i++) yield { x: [i, i], y: i % 2 }
 * }
 * for await (const { xs } of batches(stream, { size: 5 })) console.log(xs.shape) // [ 5, 2 ]
 * ```
 */
export function batches(source: LabelledSamples | ImageFolder, options?: BatchesOptions): Batches
export function batches(source: SampleStream, options?: BatchesOptions): Batches<undefined>
export function batches(
  source: LabelledSamples | ImageFolder | SampleStream,
  options: BatchesOptions = {},
): Batches | Batches<undefined> {
  const stream = isStream(source) && !(source instanceof ImageFolder)
  const checked = checkBatchesOptions('batches', options, stream, source instanceof ImageFolder)
  if (source instanceof ImageFolder) return new Batches(source.$source(checked.normalize), checked)
  const { shuffleBuffer = 1024, labelDType } = options
  if (stream) return new Batches<undefined>(streamSource('batches', source, { shuffleBuffer, labelDType }), checked)
  if (typeof source !== 'object' || source === null || !('images' in source || 'xs' in source)) {
    throw typeError(
      `batches: the source must be { images, labels }, { xs, ys }, a part of datasets.imageFolder or a stream of samples. got ${show(source)}`,
    )
  }
  return new Batches(arraySource('batches', source, checked.normalize, labelDType), checked)
}

/** @internal */
export function checkBatchesOptions(
  op: string,
  options: BatchesOptions,
  stream: boolean,
  folder: boolean,
): CheckedBatchesOptions {
  checkOptions(op, options, [
    ...['size', 'shuffle', 'seed', 'dropRemainder', 'normalize', 'augment'],
    ...(stream || folder ? ['prefetch'] : []),
    ...(stream ? ['shuffleBuffer'] : []),
    ...(folder ? [] : ['labelDType']),
  ])
  const { size = 32, shuffle = false, seed, dropRemainder = false, prefetch = 2, augment } = options
  checkCount(op, 'size', size)
  checkBoolean(op, 'shuffle', shuffle)
  checkBoolean(op, 'dropRemainder', dropRemainder)
  checkCount(op, 'prefetch', prefetch, 0)
  if (augment !== undefined) checkAugmentation(`${op}: augment`, augment)
  if (options.labelDType !== undefined) checkChoice(op, 'labelDType', options.labelDType, ['int32', 'float32'])
  if (options.shuffleBuffer !== undefined) {
    checkCount(op, 'shuffleBuffer', options.shuffleBuffer)
    if (!shuffle) throw typeError(`${op}: shuffleBuffer has no effect without shuffle: true`)
  }
  if (seed !== undefined) {
    checkSeed(op, seed)
    if (!shuffle && augment === undefined) throw typeError(`${op}: seed has no effect without shuffle: true or augment`)
  }
  const normalize = options.normalize === undefined ? undefined : checkNormalize(op, options.normalize)
  const random = shuffle || augment !== undefined
  return { size, dropRemainder, shuffle, seed: seed ?? (random ? nextSeed() : 0), normalize, augment, prefetch }
}
