// Batches for a training loop of one's own.

import { ShapeError, show, typeError } from '../errors.js'
import { checkBoolean, checkCount, checkOptions } from '../initializers/options.js'
import { checkSeed, nextSeed } from '../tensor/seed.js'
import { showShape } from '../tensor/shape.js'
import { checkTensor, type Tensor } from '../tensor/tensor.js'
import { Order, seedOfPass } from './order.js'
import { pickRows } from './rows.js'

/** Images, or other inputs, with the label of each. */
export interface LabelledImages {
  images: Tensor
  labels: Tensor
}

/** One batch of inputs and labels. */
export interface TensorBatch {
  xs: Tensor
  ys: Tensor
}

export interface BatchesOptions {
  /** Samples in a batch. Default 32. */
  size?: number
  /** Whether every pass has a new random order. Default false. */
  shuffle?: boolean
  /** Seed of the shuffle; without one, `setSeed` decides. */
  seed?: number
  /** Leave out a last batch that would be smaller. Default false. */
  dropRemainder?: boolean
}

/** What {@link batches} returns: each `for await` is one pass over the data. */
export class Batches implements AsyncIterable<TensorBatch> {
  /** Batches in one pass. */
  readonly length: number
  private pass = 0

  /** @internal */
  constructor(
    private readonly source: { xs: Tensor; ys: Tensor },
    private readonly size: number,
    private readonly seed: number | undefined,
    dropRemainder: boolean,
  ) {
    const count = source.xs.shape[0]!
    this.length = dropRemainder ? Math.floor(count / size) : Math.ceil(count / size)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TensorBatch, void, undefined> {
    const { xs, ys } = this.source
    const count = xs.shape[0]!
    const order = new Order(count, this.seed === undefined ? undefined : seedOfPass(this.seed, this.pass++))
    for (let i = 0; i < this.length; i++) {
      const rows = order.slice(i * this.size, Math.min((i + 1) * this.size, count))
      const batch = { xs: pickRows(xs, rows), ys: pickRows(ys, rows) }
      try {
        yield batch
      } finally {
        batch.xs.dispose()
        batch.ys.dispose()
      }
    }
  }
}

/**
 * The data in batches `{ xs, ys }`, for `for await` and for `fit`: `xs` `[size, …]` and `ys` with the labels of the same
 * samples. The last batch holds what is left. A batch is freed when the next one is asked for.
 *
 * With `shuffle`, pass after pass has another order, and the same seed gives the same sequence of orders.
 *
 * `source` is a part of a dataset, `{ images, labels }`, or `{ xs, ys }`. Throws a {@link ShapeError} when the two have
 * not equally many samples.
 *
 * @example
 * ```ts
 * import { batches, tensor } from 'ferrograd'
 * const source = { images: tensor([[1], [2], [3]]), labels: tensor([1, 0, 1], { dtype: 'int32' }) }
 * const list = batches(source, { size: 2 })
 * for await (const { xs, ys } of list) {
 *   console.log(list.length, xs.shape[0], await ys.array()) // 2 2 [ 1, 0 ]
 * }
 * ```
 */
export function batches(source: LabelledImages | TensorBatch, options: BatchesOptions = {}): Batches {
  const known = ['size', 'shuffle', 'seed', 'dropRemainder'] as const
  checkOptions('batches', options, known)
  const { size = 32, shuffle = false, seed, dropRemainder = false } = options
  checkCount('batches', 'size', size)
  checkBoolean('batches', 'shuffle', shuffle)
  checkBoolean('batches', 'dropRemainder', dropRemainder)
  if (seed !== undefined) {
    checkSeed('batches', seed)
    if (!shuffle) throw typeError('batches: seed has no effect without shuffle: true')
  }
  const { xs, ys } = samplesOf(source)
  return new Batches({ xs, ys }, size, shuffle ? (seed ?? nextSeed()) : undefined, dropRemainder)
}

function samplesOf(source: LabelledImages | TensorBatch): TensorBatch {
  if (typeof source !== 'object' || source === null || !('images' in source || 'xs' in source)) {
    throw typeError(`batches: the source must be { images, labels } or { xs, ys }. got ${show(source)}`)
  }
  const [first, second, xs, ys] =
    'images' in source
      ? (['images', 'labels', source.images, source.labels] as const)
      : (['xs', 'ys', source.xs, source.ys] as const)
  for (const [name, x] of [
    [first, xs],
    [second, ys],
  ] as const) {
    checkTensor('batches', name, x)
    if (x.shape.length === 0) throw new ShapeError(`batches: ${name} has shape [], so it has no samples`)
  }
  if (xs.shape[0] !== ys.shape[0]) {
    throw new ShapeError(
      `batches: there are ${xs.shape[0]} samples and ${ys.shape[0]} labels. ${first} ${showShape(xs.shape)}, ${second} ${showShape(ys.shape)}`,
    )
  }
  return { xs, ys }
}
