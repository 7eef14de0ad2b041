// The absolute error.

import { checkOptions } from '../initializers/options.js'
import type { Tensor } from '../tensor/tensor.js'
import { elementLoss } from './element-loss.js'
import type { WeightOptions } from './weights.js'

/**
 * The mean of |prediction − label| over all elements: two tensors of one shape and dtype `-> []`, float. Where they are
 * equal the gradient is 0.
 *
 * Throws a `ShapeError` when shapes differ (nothing is broadcast) or are empty.
 *
 * @example
 * ```ts
 * import { losses, tensor } from 'ferrograd'
 * console.log(await losses.meanAbsoluteError(tensor([1, 2]), tensor([1, 4])).item()) // 1
 * ```
 */
export function meanAbsoluteError(predictions: Tensor, labels: Tensor, options: WeightOptions = {}): Tensor {
  checkOptions('meanAbsoluteError', options, ['weights'])
  return elementLoss(predictions, labels, { op: 'meanAbsoluteError', parameter: 0, weights: options.weights })
}
