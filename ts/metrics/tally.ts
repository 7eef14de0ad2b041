// Counting predictions that agree with labels, natively.

import { ShapeError } from '../errors.js'
import { native } from '../native/index.js'
import { checkFloat } from '../tensor/dtype.js'
import { sameShape, showShape } from '../tensor/shape.js'
import { empty, type Tensor } from '../tensor/tensor.js'
import type { Measurement } from './metric.js'

/** @internal Whether each row of the predictions scores several classes, of which the labels name one. */
export function scoresClasses(predictions: Tensor): boolean {
  return predictions.shape.length > 1 && predictions.shape.at(-1)! > 1
}

/** @internal Rows whose label is among the `k` highest scores. */
export function tallyHits(metric: string, predictions: Tensor, labels: Tensor, k: number): Measurement {
  const { classes, rows } = checkClasses(metric, predictions, labels)
  const sums = empty([1], 'float64')
  native.tallyHits(predictions.handle, labels.handle, sums.handle, classes, k)
  return { sums, count: rows }
}

/** @internal For each class: right, predicted, labelled. */
export function tallyClasses(metric: string, predictions: Tensor, labels: Tensor): Measurement {
  const { classes, rows } = checkClasses(metric, predictions, labels)
  const sums = empty([classes, 3], 'float64')
  native.tallyClasses(predictions.handle, labels.handle, sums.handle, classes)
  return { sums, count: rows }
}

/** @internal Of all elements: predicted and labelled, predicted, labelled, right. */
export function tallyThreshold(metric: string, predictions: Tensor, labels: Tensor, threshold: number): Measurement {
  checkFloat(metric, 'predictions', predictions.dtype)
  if (predictions.size !== labels.size) {
    throw new ShapeError(
      `${metric}: each prediction needs one label. predictions ${showShape(predictions.shape)}, labels ${showShape(labels.shape)}`,
    )
  }
  const sums = empty([4], 'float64')
  native.tallyThreshold(predictions.handle, labels.handle, sums.handle, threshold)
  return { sums, count: predictions.size }
}

function checkClasses(metric: string, predictions: Tensor, labels: Tensor): { classes: number; rows: number } {
  checkFloat(metric, 'predictions', predictions.dtype)
  const { shape } = predictions
  const classes = shape.at(-1)
  const rows = shape.slice(0, -1)
  const fits = sameShape(labels.shape, rows) || sameShape(labels.shape, shape) || sameShape(labels.shape, [...rows, 1])
  if (classes === undefined || classes === 0 || !fits) {
    throw new ShapeError(
      `${metric}: labels are class indices ${showShape(rows)} or one-hot ${showShape(shape)} for predictions ${showShape(shape)}. got labels ${showShape(labels.shape)}`,
    )
  }
  return { classes, rows: predictions.size / classes }
}
