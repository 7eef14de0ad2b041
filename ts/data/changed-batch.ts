// Batches that an augmentation changes on their way.

import { type AugmentBatch, checkBatch } from '../augment/augmentation.js'
import { noGrad } from '../autograd/record.js'
import { ShapeError, typeError } from '../errors.js'
import { type ChannelStatistics, pixels } from '../ops/pixels.js'
import { isFloat } from '../tensor/dtype.js'
import { scope } from '../tensor/scope.js'
import { showShape } from '../tensor/shape.js'
import { share, type Tensor } from '../tensor/tensor.js'
import { checkStatisticsFit } from './channel-statistics.js'
import type { TensorBatch } from './sample-source.js'

/** @internal Changes a batch whose images are still what they are kept as. */
export type Change = (batch: TensorBatch) => TensorBatch

/** @internal What `pick` makes, changed, and then floats where there are pixels. Belongs to the caller. */
export function changedBatch(
  op: string,
  pick: () => TensorBatch,
  change: Change,
  normalize: ChannelStatistics | undefined,
): TensorBatch {
  return scope(() =>
    noGrad(() => {
      const { xs, ys } = checkChanged(`${op}: what augment makes`, change(pick()))
      if (normalize !== undefined) checkStatisticsFit(op, 'what augment makes', normalize, xs.shape, xs.dtype)
      return { xs: toFloats(xs, normalize), ys: share(ys, ys.shape) }
    }),
  )
}

function checkChanged(what: string, batch: AugmentBatch): TensorBatch {
  checkBatch(what, batch)
  const { xs, ys } = batch
  if (ys === undefined) throw typeError(`${what}: the batch must be { xs, ys }. got only xs`)
  if (xs.shape.length === 0 || xs.shape[0] !== ys.shape[0]) {
    throw new ShapeError(
      `${what}: the batch needs as many samples as labels. xs ${showShape(xs.shape)}, ys ${showShape(ys.shape)}`,
    )
  }
  return { xs, ys }
}

function toFloats(xs: Tensor, normalize: ChannelStatistics | undefined): Tensor {
  if (xs.dtype !== 'uint8' && normalize === undefined) return share(xs, xs.shape)
  return pixels(xs, undefined, isFloat(xs.dtype) ? xs.dtype : 'float32', normalize)
}
