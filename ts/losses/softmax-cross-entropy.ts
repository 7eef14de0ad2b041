// Cross-entropy of a softmax, the loss of classifiers.

import { checkOptions } from '../initializers/options.js'
import type { Tensor } from '../tensor/tensor.js'
import { classLoss } from './class-loss.js'
import { checkSmoothing } from './smoothing.js'
import type { WeightOptions } from './weights.js'

export interface SoftmaxCrossEntropyOptions extends WeightOptions {
  /** The share of each label that is spread over all classes, from 0 up to but not including 1. Default 0. */
  labelSmoothing?: number | undefined
}

/**
 * The cross-entropy between labels and the softmax of `predictions`, which are logits: `[N, …, C], labels -> []`, the
 * mean over all rows of −Σ tⱼ log softmax(x)ⱼ, with tⱼ = labelⱼ · (1 − labelSmoothing) + labelSmoothing / C.
 *
 * Labels are class indices `[N, …]` of dtype int32 or uint8, or probabilities (one-hot, for instance) of the shape and
 * dtype of the predictions. Never overflows, whatever the logits.
 *
 * Throws a `ShapeError` when shapes do not fit or there are no rows, a `DTypeError` for labels of another kind, and a
 * `RangeError` for options out of range or a class that does not exist. Class indices that an op computed, and rows of
 * probabilities that are negative or do not add up to 1, are found only later: they stop the stream with a `StreamError`.
 *
 * Source: Bridle 1990; label smoothing: Szegedy et al. 2016.
 *
 * @example
 * ```ts
 * import { losses, tensor } from 'ferrograd'
 * const logits = tensor([[2, 1, 0], [0, 0, 0]])
 * const labels = tensor([0, 2], { dtype: 'int32' })
 * const loss = losses.softmaxCrossEntropy(logits, labels)
 * console.log((await loss.item()).toFixed(4)) // 0.7531
 * ```
 */
export function softmaxCrossEntropy(
  predictions: Tensor,
  labels: Tensor,
  options: SoftmaxCrossEntropyOptions = {},
): Tensor {
  const op = 'softmaxCrossEntropy'
  checkOptions(op, options, ['labelSmoothing', 'weights'])
  const { labelSmoothing = 0, weights } = options
  checkSmoothing(op, labelSmoothing)
  return classLoss(predictions, labels, { op, parameter: labelSmoothing, dense: 'probabilities', weights })
}
