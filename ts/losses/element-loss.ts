// What the losses of single elements share: shapes, weights and the way to the native side.

import { record } from '../autograd/record.js'
import { DTypeError, ShapeError } from '../errors.js'
import { native } from '../native/index.js'
import { checkFloat } from '../tensor/dtype.js'
import { sameShape, showShape } from '../tensor/shape.js'
import { checkTensor, empty, type Tensor } from '../tensor/tensor.js'
import { checkWeights } from './weights.js'

interface ElementLoss {
  readonly op: 'meanSquaredError' | 'meanAbsoluteError' | 'huber' | 'binaryCrossEntropy'
  /** The delta or the label smoothing; 0 where there is none. */
  readonly parameter: number
  readonly weights: Tensor | undefined
}

/** @internal The mean over all elements of a loss of single elements. */
export function elementLoss(predictions: Tensor, labels: Tensor, options: ElementLoss): Tensor {
  const { op, parameter, weights } = options
  checkPair(op, predictions, labels)
  checkWeights(op, weights, predictions, predictions.shape)

  const loss = empty([], predictions.dtype)
  native.elementLossForward(
    ...([op, parameter, predictions.handle, labels.handle, weights?.handle ?? 0, loss.handle] as const),
  )
  const saved = weights === undefined ? [predictions, labels] : [predictions, labels, weights]
  return record(op, loss, [predictions, labels], saved, (dy, [predictions, labels, weights], wanted) => {
    const [dPredictions, dLabels] = wanted.map((wants) => (wants ? empty(predictions!.shape, dy.dtype) : undefined))
    const given = [op, parameter, predictions!.handle, labels!.handle, weights?.handle ?? 0, dy.handle] as const
    if (dPredictions) native.elementLossBackward(...given, dPredictions.handle)
    if (dLabels) native.elementLossLabelsBackward(...given, dLabels.handle)
    return [dPredictions, dLabels]
  })
}

function checkPair(op: string, predictions: Tensor, labels: Tensor): void {
  checkTensor(op, 'predictions', predictions)
  checkTensor(op, 'labels', labels)
  checkFloat(op, 'predictions', predictions.dtype)
  const both = `predictions ${showShape(predictions.shape)}, labels ${showShape(labels.shape)}`
  if (!sameShape(predictions.shape, labels.shape)) {
    throw new ShapeError(
      `${op}: predictions and labels must have the same shape: nothing is broadcast. ${both}. reshape one of them`,
    )
  }
  if (labels.dtype !== predictions.dtype) {
    throw new DTypeError(
      `${op}: predictions have dtype ${predictions.dtype}, but labels have ${labels.dtype}. cast one: cast(labels, { dtype: '${predictions.dtype}' })`,
    )
  }
  if (predictions.size === 0) throw new ShapeError(`${op}: there are no predictions to take a mean of. ${both}`)
}
