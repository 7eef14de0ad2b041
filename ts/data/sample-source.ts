// Where batches take their samples from.

import type { ChannelStatistics } from '../ops/pixels.js'
import type { Tensor } from '../tensor/tensor.js'
import type { Change } from './changed-batch.js'

/** One batch of inputs and labels. */
export interface TensorBatch {
  xs: Tensor
  ys: Tensor
}

/** @internal Samples that can be asked for by their numbers, from 0 to `count` - 1. */
export interface SampleSource {
  readonly count: number
  /** A batch of these samples, changed while they are as they are kept, then floats where they are pixels. Belongs to the caller. */
  load(
    samples: Int32Array,
    normalize: ChannelStatistics | undefined,
    change: Change | undefined,
  ): TensorBatch | Promise<TensorBatch>
}

/** @internal A batch, with the numbers of its samples and the pass over the data that it belongs to. */
export interface NumberedBatch extends TensorBatch {
  readonly samples: Int32Array
  readonly pass: number
}
