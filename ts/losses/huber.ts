// Huber's loss: squared near the label, absolute far from it.

import { checkNumber, checkOptions } from '../initializers/options.js'
import type { Tensor } from '../tensor/tensor.js'
import { elementLoss } from './element-loss.js'
import type { WeightOptions } from './weights.js'

export interface HuberOptions extends WeightOptions {
  /** Where the loss turns from a square into a line, above 0. Default 1. */
  delta?: number | undefined
}

/**
 * The mean of Huber's loss over all elements: two tensors of one shape and dtype `-> []`, float. With d = prediction −
 * label it is ½ d² where |d| ≤ delta, and delta · (|d| − ½ delta) beyond.
 *
 * Throws a `ShapeError` when shapes differ (nothing is broadcast) or are empty, and a `RangeError` for a delta that is not
 * above 0.
 *
 * Source: Huber 1964.
 *
 * @example
 * ```ts
 * import { losses, tensor } from 'ferrograd'
 * console.log(await losses.huber(tensor([1, 2]), tensor([0, 4])).item()) // 1
 * ```
 */
export function huber(predictions: Tensor, labels: Tensor, options: HuberOptions = {}): Tensor {
  checkOptions('huber', options, ['delta', 'weights'])
  const { delta = 1, weights } = options
  checkNumber('huber', 'delta', delta, 0, true)
  return elementLoss(predictions, labels, { op: 'huber', parameter: delta, weights })
}
