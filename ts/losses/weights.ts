// Weights of samples, as every loss takes them.

import { recording } from '../autograd/record.js'
import { DTypeError, GradientError, ShapeError } from '../errors.js'
import { sameShape, showShape } from '../tensor/shape.js'
import { checkTensor, type Tensor } from '../tensor/tensor.js'

export interface WeightOptions {
  /**
   * How much each sample counts, `[batch]` (or as many of the leading axes as there are): multiplied in before the mean,
   * which divides by the number of samples all the same. Default: all count alike.
   */
  weights?: Tensor | undefined
}

/** @internal Throws unless `weights` is left out or its shape is made of the first of `axes`. */
export function checkWeights(
  op: string,
  weights: Tensor | undefined,
  predictions: Tensor,
  axes: readonly number[],
): void {
  if (weights === undefined) return
  checkTensor(op, 'weights', weights)
  const { shape } = weights
  if (shape.length === 0 || !sameShape(shape, axes.slice(0, shape.length))) {
    const fitting = axes.length === 0 ? 'a single prediction takes none' : `use ${showShape(axes.slice(0, 1))}`
    throw new ShapeError(
      `${op}: there must be one weight for each sample. weights ${showShape(shape)}, predictions ${showShape(predictions.shape)}. ${fitting}`,
    )
  }
  if (weights.dtype !== predictions.dtype) {
    throw new DTypeError(
      `${op}: predictions have dtype ${predictions.dtype}, but weights have ${weights.dtype}. cast one: cast(weights, { dtype: '${predictions.dtype}' })`,
    )
  }
  if (recording(weights)) {
    throw new GradientError(
      `${op}: weights have no gradient, but these depend on a variable. compute them inside noGrad`,
    )
  }
}
