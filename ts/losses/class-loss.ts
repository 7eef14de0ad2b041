// What the losses over classes share: their labels, their weights and the way to the native side.

import { record, recording } from '../autograd/record.js'
import { DTypeError, rangeError, ShapeError } from '../errors.js'
import { native } from '../native/index.js'
import { checkFloat } from '../tensor/dtype.js'
import { sameShape, showShape } from '../tensor/shape.js'
import { checkTensor, empty, type Tensor } from '../tensor/tensor.js'
import { checkWeights } from './weights.js'

interface ClassLoss {
  readonly op: 'softmaxCrossEntropy' | 'svm'
  /** The label smoothing or the margin. */
  readonly parameter: number
  /** What labels of the predictions' shape are: 'probabilities' or 'one-hot'. */
  readonly dense: string
  readonly weights: Tensor | undefined
}

/** @internal The mean over the rows of a loss over classes. */
export function classLoss(predictions: Tensor, labels: Tensor, options: ClassLoss): Tensor {
  const { op, parameter, weights } = options
  const classes = checkScores(op, predictions)
  checkLabels(options, predictions, labels, classes)
  checkWeights(op, weights, predictions, predictions.shape.slice(0, -1))

  const loss = empty([], predictions.dtype)
  native.classLossForward(
    ...([op, parameter, predictions.handle, labels.handle, weights?.handle ?? 0, loss.handle, classes] as const),
  )
  const saved = weights === undefined ? [predictions, labels] : [predictions, labels, weights]
  return record(op, loss, [predictions, labels], saved, (dy, [predictions, labels, weights], wanted) => {
    const [dPredictions, dLabels] = wanted.map((wants) => (wants ? empty(predictions!.shape, dy.dtype) : undefined))
    const given = [op, parameter, predictions!.handle, labels!.handle, weights?.handle ?? 0, dy.handle] as const
    if (dPredictions) native.classLossBackward(...given, dPredictions.handle, classes)
    if (dLabels) native.classLossLabelsBackward(...given, dLabels.handle, classes)
    return [dPredictions, dLabels]
  })
}

function checkScores(op: string, predictions: Tensor): number {
  checkTensor(op, 'predictions', predictions)
  checkFloat(op, 'predictions', predictions.dtype)
  const { shape, size } = predictions
  const classes = shape.at(-1)!
  const found = `predictions ${showShape(shape)}`
  if (shape.length < 2) {
    throw new ShapeError(`${op}: predictions must be a batch of scores, [batch, classes]. ${found}`)
  }
  if (classes < 2) {
    throw new ShapeError(
      `${op}: predictions have ${classes === 0 ? 'no classes' : 'one class'}, so there is nothing to tell apart. ${found}. for two classes and one score use binaryCrossEntropy`,
    )
  }
  if (size === 0) throw new ShapeError(`${op}: there are no predictions to take a mean of. ${found}`)
  return classes
}

function checkLabels({ op, dense }: ClassLoss, predictions: Tensor, labels: Tensor, classes: number): void {
  checkTensor(op, 'labels', labels)
  const rows = predictions.shape.slice(0, -1)
  const both = `labels ${labels.dtype} ${showShape(labels.shape)}, predictions ${showShape(predictions.shape)}`
  const asIndices = sameShape(labels.shape, rows)
  if (!asIndices && !sameShape(labels.shape, predictions.shape)) {
    throw new ShapeError(
      `${op}: labels are class indices ${showShape(rows)} or ${dense} ${showShape(predictions.shape)}. ${both}`,
    )
  }
  if (!asIndices) {
    if (labels.dtype === predictions.dtype) {
      if (op === 'svm' && recording(labels)) {
        throw new DTypeError(`${op}: one-hot labels have no gradient, but these depend on a variable. ${both}`)
      }
      return
    }
    throw new DTypeError(
      `${op}: labels that are ${dense} need the dtype of the predictions, ${predictions.dtype}. ${both}. cast them: cast(labels, { dtype: '${predictions.dtype}' })`,
    )
  }
  if (labels.dtype !== 'int32' && labels.dtype !== 'uint8') {
    throw new DTypeError(
      `${op}: class indices need dtype int32 or uint8. ${both}. make them with tensor(values, { dtype: 'int32' })`,
    )
  }
  const [position, label] = native.findBadClass(labels.handle, classes)
  if (label !== undefined) {
    throw rangeError(
      `${op}: label ${label} (element ${position}) is no class: classes are numbered from 0 to ${classes - 1}. ${both}`,
    )
  }
}
