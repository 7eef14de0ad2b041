// The squared error.

import { checkOptions } from '../initializers/options.js'
import type { Tensor } from '../tensor/tensor.js'
import { elementLoss } from './element-loss.js'
import type { WeightOptions } from './weights.js'

/**
 * The mean of (prediction − label)² over all elements: two tensors of one shape and dtype `-> []`, float.
 *
 * Throws a `ShapeError` when shapes differ (nothing is broadcast) or are empty.
 *
 * @example
 * ```ts
 * import { losses, tensor } from 'ferrograd'
 * console.log(await losses.meanSquaredError(tensor([1, 2]), tensor([1, 4])).item()) // 2
 * ```
 */
export function meanSquaredError(predictions: Tensor, labels: Tensor, options: WeightOptions = {}): Tensor {
  checkOptions('meanSquaredError', options, ['weights'])
  return elementLoss(predictions, labels, { op: 'meanSquaredError', parameter: 0, weights: options.weights })
}
