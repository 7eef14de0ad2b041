// Where batches take their samples from.

import type { ChannelStatistics } from '../ops/pixels.js'
import type { Tensor } from '../tensor/tensor.js'

/** One batch of inputs and labels. */
export interface TensorBatch {
  xs: Tensor
  ys: Tensor
}

/** @internal A batch, with the numbers of its samples. Its tensors belong to whoever holds it. */
export interface NumberedBatch extends TensorBatch {
  readonly samples: Int32Array
  /** Whether pixels are floats by now, and normalised if that was asked for. */
  readonly finished: boolean
}

/** @internal How one pass is cut into batches. */
export interface Plan {
  readonly size: number
  readonly dropRemainder: boolean
  /** Of the order; undefined for that of the source. */
  readonly seed: number | undefined
  /** The batch to begin with. */
  readonly first: number
  readonly normalize: ChannelStatistics | undefined
  /** Whether something is done to pixels before they become floats. */
  readonly raw: boolean
}

/** @internal Samples that can be gone through, again and again as a rule. */
export interface SampleSource {
  /** Samples in one pass, where that is known. */
  readonly count: number | undefined
  /** Labels are below this, where that is known. */
  readonly classes: number | undefined
  /** Whether a batch takes time: then the next ones are got ready while one is worked on. */
  readonly waits: boolean
  open(plan: Plan): AsyncGenerator<NumberedBatch, void, undefined>
}
