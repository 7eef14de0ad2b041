// Cross-entropy of yes and no.

import { checkOptions } from '../initializers/options.js'
import type { Tensor } from '../tensor/tensor.js'
import { elementLoss } from './element-loss.js'
import { checkSmoothing } from './smoothing.js'
import type { WeightOptions } from './weights.js'

export interface BinaryCrossEntropyOptions extends WeightOptions {
  /** The share of each label that moves towards ½, from 0 up to but not including 1. Default 0. */
  labelSmoothing?: number | undefined
}

/**
 * The binary cross-entropy between labels and the sigmoid of `predictions`, which are logits: two tensors of one shape and
 * dtype `-> []`, float, the mean over all elements of −t log σ(x) − (1 − t) log(1 − σ(x)), with t = label · (1 −
 * labelSmoothing) + labelSmoothing / 2. Exact for logits of any size.
 *
 * Throws a `ShapeError` when shapes differ (nothing is broadcast) or are empty, and a `RangeError` for options out of range.
 * A label that is not from 0 to 1 is found only later: it stops the stream with a `StreamError`.
 *
 * @example
 * ```ts
 * import { losses, tensor } from 'ferrograd'
 * const loss = losses.binaryCrossEntropy(tensor([0, 100]), tensor([1, 1]))
 * console.log((await loss.item()).toFixed(4)) // 0.3466
 * ```
 */
export function binaryCrossEntropy(
  predictions: Tensor,
  labels: Tensor,
  options: BinaryCrossEntropyOptions = {},
): Tensor {
  const op = 'binaryCrossEntropy'
  checkOptions(op, options, ['labelSmoothing', 'weights'])
  const { labelSmoothing = 0, weights } = options
  checkSmoothing(op, labelSmoothing)
  return elementLoss(predictions, labels, { op, parameter: labelSmoothing, weights })
}
