// What changes batches at random.

import { show, typeError } from '../errors.js'
import { scope } from '../tensor/scope.js'
import { checkTensor, type Tensor } from '../tensor/tensor.js'
import { type AugmentOptions, type Draws, takeDraws } from './draws.js'
import { checkImages } from './images.js'

/** What an augmentation takes: inputs, and the labels if there are any. */
export interface AugmentBatch {
  xs: Tensor
  ys?: Tensor
}

/**
 * Changes batches at random. Those of `augment` are made by its functions; an object of your own with this method goes
 * wherever they go.
 */
export interface Augmentation {
  /**
   * The changed batch: new tensors where something changes, those of `batch` where nothing does. What changes is drawn
   * from `options` alone.
   */
  apply<Batch extends AugmentBatch>(batch: Batch, options?: AugmentOptions): Batch
}

/** @internal An augmentation that changes images, each for itself, and leaves labels alone. */
export abstract class ImageAugmentation implements Augmentation {
  /** `op` is what errors call it. */
  constructor(protected readonly op: string) {}

  apply<Batch extends AugmentBatch>(batch: Batch, options: AugmentOptions = {}): Batch {
    checkBatch(this.op, batch)
    const { samples } = checkImages(this.op, 'xs', batch.xs)
    const draws = takeDraws(this.op, samples, options)
    return { ...batch, xs: scope(() => this.$change(batch.xs, draws, this.op)) }
  }

  /** @internal The images changed at random. `op` is what errors call it now. */
  abstract $change(x: Tensor, draws: Draws, op: string): Tensor

  /** @internal What stands for the change where there is none, in inference: images of the same size as with it. */
  $rest(x: Tensor, _op: string): Tensor {
    return x
  }
}

/** @internal Throws unless this is a batch. */
export function checkBatch(op: string, batch: unknown): asserts batch is AugmentBatch {
  if (typeof batch !== 'object' || batch === null || !('xs' in batch)) {
    throw typeError(`${op}: the batch must be { xs, ys } or { xs }. got ${show(batch)}`)
  }
  checkTensor(op, 'xs', batch.xs)
  if ('ys' in batch && batch.ys !== undefined) checkTensor(op, 'ys', batch.ys)
}
