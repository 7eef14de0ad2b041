// The multi-class support vector machine's loss.

import { checkNumber, checkOptions } from '../initializers/options.js'
import type { Tensor } from '../tensor/tensor.js'
import { classLoss } from './class-loss.js'
import type { WeightOptions } from './weights.js'

export interface SvmOptions extends WeightOptions {
  /** By how much the right score must beat every other, 0 or more. Default 1. */
  margin?: number | undefined
}

/**
 * The hinge loss of a classifier: `[N, …, C], labels -> []`, the mean over all rows of Σ max(0, xⱼ − x_y + margin) over
 * the wrong classes j, where y is the right one. At a kink the gradient is 0.
 *
 * Labels are class indices `[N, …]` of dtype int32 or uint8, or one-hot rows of the shape and dtype of the predictions.
 *
 * Throws a `ShapeError` when shapes do not fit or there are no rows, a `DTypeError` for labels of another kind, and a
 * `RangeError` for options out of range or a class that does not exist. Class indices that an op computed, and rows that
 * are not one-hot, are found only later: they stop the stream with a `StreamError`.
 *
 * Source: Weston and Watkins 1999.
 *
 * @example
 * ```ts
 * import { losses, tensor } from 'ferrograd'
 * const scores = tensor([[3.2, 5.1, -1.7]])
 * const loss = losses.svm(scores, tensor([0], { dtype: 'int32' }))
 * console.log((await loss.item()).toFixed(4)) // 2.9000
 * ```
 */
export function svm(predictions: Tensor, labels: Tensor, options: SvmOptions = {}): Tensor {
  checkOptions('svm', options, ['margin', 'weights'])
  const { margin = 1, weights } = options
  checkNumber('svm', 'margin', margin, 0)
  return classLoss(predictions, labels, { op: 'svm', parameter: margin, dense: 'one-hot', weights })
}
