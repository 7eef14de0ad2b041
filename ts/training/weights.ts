// How much each sample counts.

import { rangeError, ShapeError, show, typeError } from '../errors.js'
import { add, argMax, gather, mul, reshape } from '../ops/index.js'
import { full } from '../tensor/create.js'
import type { DType } from '../tensor/dtype.js'
import { sameShape, showShape } from '../tensor/shape.js'
import { checkTensor, Tensor } from '../tensor/tensor.js'
import type { Expectation } from './labels.js'
import { plain, share, upload, type Values } from './values.js'

/** A factor for the loss of every sample of a class. Classes that are left out have 1. */
export type ClassWeight = Readonly<Record<number, number>>

/** @internal One weight for each of `count` samples, checked unless they are in a tensor. Owned by the caller. */
export function takeWeights(op: string, count: number, values: Values, float: DType): Tensor {
  const shape = values instanceof Tensor ? values.shape : undefined
  const numbers = values instanceof Tensor ? undefined : plain(op, 'sampleWeight', values, (length) => [length])
  const found = shape ?? numbers!.shape
  if (!sameShape(found, [count])) {
    throw new ShapeError(
      `${op}: sampleWeight must have one number for each sample, [${count}]. got shape ${showShape(found)}`,
    )
  }
  if (numbers === undefined) return share(op, 'sampleWeight', values as Tensor)
  checkWeights(op, numbers.values)
  return upload(numbers, float)
}

/** @internal Checks weights that came as a tensor. Takes them over and returns what belongs to the caller instead. */
export async function checkTakenWeights(op: string, weights: Tensor, float: DType): Promise<Tensor> {
  try {
    const data = await weights.data()
    checkWeights(op, data)
    if (weights.dtype === float) return weights
    const made = upload({ values: data, shape: weights.shape, dtype: weights.dtype }, float)
    weights.dispose()
    return made
  } catch (error) {
    weights.dispose()
    throw error
  }
}

function checkWeights(op: string, values: ArrayLike<number>): void {
  for (let i = 0; i < values.length; i++) {
    if (!(values[i]! >= 0 && values[i]! < Infinity)) {
      throw rangeError(`${op}: the weight of a sample is a number from 0. got ${values[i]} (sample ${i})`)
    }
  }
}

/** @internal The weights of all classes, as numbers and as a tensor that belongs to the caller. */
export interface ClassTable {
  readonly values: Float64Array
  readonly table: Tensor
}

/** @internal Checks the weights of classes and puts them into a table. */
export function takeClassWeights({ op, model, predictions, float }: Expectation, classWeight: unknown): ClassTable {
  if (typeof classWeight !== 'object' || classWeight === null) {
    throw typeError(`${op}: classWeight must map classes to weights, such as { 0: 1, 1: 5 }. got ${show(classWeight)}`)
  }
  const last = predictions.at(-1)
  if (last === undefined || last === null || predictions.length < 2) {
    throw new ShapeError(`${op}: classWeight needs a model that predicts classes, [batch, classes]`)
  }
  // One prediction for each sample says no or yes.
  const classes = last === 1 ? 2 : last
  const values = new Float64Array(classes).fill(1)
  for (const [key, weight] of Object.entries(classWeight)) {
    const label = Number(key)
    if (!(Number.isInteger(label) && label >= 0 && label < classes)) {
      throw rangeError(
        `${op}: classWeight names class ${show(key)}, but model "${model.name}" tells ${classes} classes, 0 to ${classes - 1}`,
      )
    }
    if (typeof weight !== 'number' || !(weight >= 0 && weight < Infinity)) {
      throw rangeError(`${op}: the weight of class ${label} is a number from 0. got ${show(weight)}`)
    }
    values[label] = weight
  }
  return { values, table: upload({ values, shape: [classes], dtype: 'float64' }, float) }
}

/** @internal The factors of a batch, of the labels' shape without classes: those of the samples times those of their classes. */
export function weightsOf(
  op: string,
  labels: Tensor,
  predictions: Tensor,
  samples: Tensor | undefined,
  classes: ClassTable | undefined,
): Tensor | undefined {
  if (classes === undefined) return samples
  const byClass = classWeightsOf(op, labels, predictions, classes)
  if (samples === undefined) return byClass
  const axes = byClass.shape.map((size, axis) => (axis === 0 ? size : 1))
  return mul(byClass, reshape(samples, axes))
}

function classWeightsOf(op: string, labels: Tensor, predictions: Tensor, { values, table }: ClassTable): Tensor {
  checkTensor(op, 'the labels', labels)
  const rows = predictions.shape.slice(0, -1)
  if (sameShape(labels.shape, rows)) return gather(table, labels)
  if (!sameShape(labels.shape, predictions.shape)) {
    throw new ShapeError(
      `${op}: classWeight needs class indices ${showShape(rows)} or one-hot labels ${showShape(predictions.shape)}. got labels ${showShape(labels.shape)}`,
    )
  }
  if (predictions.shape.at(-1)! > 1) return gather(table, argMax(labels, { axis: -1 }))
  const [no, yes] = [values[0]!, values[1]!]
  const { dtype } = predictions
  return add(mul(reshape(labels, rows), full([], yes - no, { dtype })), full([], no, { dtype }))
}
