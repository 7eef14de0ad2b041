// What users give as labels, as tensors that the loss takes: class indices, or a value for each prediction.

import { pickRows } from '../data/rows.js'
import { rangeError, ShapeError } from '../errors.js'
import type { DType } from '../tensor/dtype.js'
import { showShape } from '../tensor/shape.js'
import { Tensor } from '../tensor/tensor.js'
import type { LossName } from './compile.js'
import type { ModelShape, Trainable } from './trainable.js'
import { dtypeFor, exampleSize, fits, type Plain, plain, share, showModelShape, upload, type Values } from './values.js'

/** @internal What labels have to go with. */
export interface Expectation {
  readonly op: string
  readonly model: Trainable
  readonly float: DType
  /** Shape of the predictions, batch first. */
  readonly predictions: ModelShape
  /** The loss, if it is one of ours. */
  readonly lossName: LossName | undefined
}

/** How labels go with predictions. `other` is left to a loss of the user's. */
type Kind = 'classes' | 'values' | 'other'

const aboutLabels = new WeakSet<Error>()

function labelError(message: string): RangeError {
  const error = rangeError(message)
  aboutLabels.add(error)
  return error
}

/** @internal Whether an error says that labels hold what they must not. */
export function isLabelError(error: unknown): error is RangeError {
  return error instanceof RangeError && aboutLabels.has(error)
}

/** Elements that are looked through at a time, so that the event loop goes on turning. */
const LOOK = 1 << 18

/** @internal Labels for `count` samples. Contents of arrays are checked, those of tensors are not. Owned by the caller. */
export function takeLabels(expected: Expectation, count: number, y: Values): Tensor {
  const { op } = expected
  if (y instanceof Tensor) return share(op, 'y', y, kindOf(expected, count, y.shape).shape)
  const numbers = plain(op, 'y', y, (length) => shapeOfLabels(expected, count, length))
  return fromPlain(expected, count, numbers)
}

/**
 * @internal Checks the contents of labels that came as a tensor, and brings them to the right dtype. Takes the labels
 * over and returns what belongs to the caller instead.
 */
export async function checkTaken(expected: Expectation, labels: Tensor): Promise<Tensor> {
  try {
    const count = labels.shape[0]!
    const { kind } = kindOf(expected, count, labels.shape)
    if (kind === 'classes' || (kind === 'values' && labels.dtype !== expected.float)) {
      const numbers = { values: await labels.data(), shape: labels.shape, dtype: labels.dtype }
      const made = fromPlain(expected, count, numbers)
      labels.dispose()
      return made
    }
    if (kind === 'values' && isLimited(expected)) await lookThrough(expected, labels)
    return labels
  } catch (error) {
    labels.dispose()
    throw error
  }
}

/** Reads labels for each prediction part by part. */
async function lookThrough(expected: Expectation, labels: Tensor): Promise<void> {
  const count = labels.shape[0]!
  const rows = Math.max(1, Math.floor((LOOK * count) / labels.size))
  for (let start = 0; start < count; start += rows) {
    const part = pickRows(
      labels,
      Int32Array.from({ length: Math.min(rows, count - start) }, (_, i) => start + i),
    )
    const reading = part.data()
    part.dispose()
    checkContents(expected, await reading, labels.shape, start)
  }
}

/** Whether the loss needs labels that name one class for each row of the predictions. */
function namesClasses({ lossName }: Expectation): boolean {
  return lossName === 'softmaxCrossEntropy' || lossName === 'svm'
}

/** Whether the loss takes only some numbers as labels for each prediction. */
function isLimited(expected: Expectation): boolean {
  return namesClasses(expected) || expected.lossName === 'binaryCrossEntropy'
}

function kindOf(
  { op, model, predictions, lossName }: Expectation,
  count: number,
  shape: readonly number[],
): { kind: Kind; shape: readonly number[] } {
  if (shape[0] !== count) {
    throw new ShapeError(
      `${op}: there are ${count} samples, but ${shape[0] ?? 'no'} labels. each sample needs one. labels ${showShape(shape)}`,
    )
  }
  if (fits(shape, predictions)) return { kind: 'values', shape }
  const rows = predictions.slice(0, -1)
  if (rows.length > 0) {
    const one = predictions.at(-1) === 1
    if (fits(shape, rows)) return one ? { kind: 'values', shape: [...shape, 1] } : { kind: 'classes', shape }
    // One index in brackets for each row is an index all the same.
    const inner = shape.slice(0, -1)
    if (shape.at(-1) === 1 && fits(inner, rows)) return { kind: 'classes', shape: inner }
  }
  if (lossName === undefined) return { kind: 'other', shape }
  const indices = rows.length > 0 && predictions.at(-1) !== 1 ? `${showModelShape(rows)} with class indices or ` : ''
  throw new ShapeError(
    `${op}: labels of shape ${showShape(shape)} do not go with what model "${model.name}" predicts, ${showModelShape(predictions)}. labels are ${indices}${showModelShape(predictions)}`,
  )
}

function shapeOfLabels({ op, predictions }: Expectation, count: number, length: number): readonly number[] {
  const all = exampleSize(predictions)
  const rows = exampleSize(predictions.slice(0, -1))
  if (length === count) return [count]
  if (all !== undefined && length === count * all) return [count, ...(predictions.slice(1) as number[])]
  if (rows !== undefined && length === count * rows) return [count, ...(predictions.slice(1, -1) as number[])]
  throw new ShapeError(
    `${op}: y has ${length} values, but there are ${count} samples, each with one label${all === undefined ? '' : ` or ${all} values`}`,
  )
}

function fromPlain(expected: Expectation, count: number, numbers: Plain): Tensor {
  const { kind, shape } = kindOf(expected, count, numbers.shape)
  const shaped = { ...numbers, shape }
  if (kind === 'other') return upload(shaped, dtypeFor(numbers, expected.float))
  if (kind === 'classes') {
    if (namesClasses(expected)) checkIndices(expected, numbers.values)
    const whole = Array.prototype.every.call(numbers.values, (value) => Number.isInteger(value))
    return upload(shaped, whole ? 'int32' : expected.float)
  }
  checkContents(expected, numbers.values, shape, 0)
  return upload(shaped, expected.float)
}

function checkIndices({ op, model, predictions }: Expectation, values: ArrayLike<number>): void {
  const classes = predictions.at(-1) ?? 2 ** 31
  for (let i = 0; i < values.length; i++) {
    const label = values[i]!
    if (!(Number.isInteger(label) && label >= 0 && label < classes)) {
      throw labelError(
        `${op}: label ${i} is ${label}, but model "${model.name}" tells ${classes} classes: labels are whole numbers from 0 to ${classes - 1}`,
      )
    }
  }
}

/** `first` is the sample that the values begin with. */
function checkContents(
  expected: Expectation,
  values: ArrayLike<number>,
  shape: readonly number[],
  first: number,
): void {
  if (namesClasses(expected)) checkRows(expected, values, shape, first)
  else if (expected.lossName === 'binaryCrossEntropy') checkProbabilities(expected, values, shape, first)
}

function checkProbabilities(
  { op }: Expectation,
  values: ArrayLike<number>,
  shape: readonly number[],
  first: number,
): void {
  const each = shape.slice(1).reduce((product, size) => product * size, 1)
  for (let i = 0; i < values.length; i++) {
    if (values[i]! >= 0 && values[i]! <= 1) continue
    throw labelError(
      `${op}: label ${first + Math.floor(i / each)} holds ${values[i]}, but binaryCrossEntropy takes numbers from 0 (no) to 1 (yes)`,
    )
  }
}

function checkRows(
  { op, lossName }: Expectation,
  values: ArrayLike<number>,
  shape: readonly number[],
  first: number,
): void {
  const classes = shape.at(-1)!
  const each = shape.slice(1, -1).reduce((product, size) => product * size, 1)
  const wrong = lossName === 'svm' ? notOneHot : noProbabilities
  for (let start = 0; start < values.length; start += classes) {
    const reason = wrong(values, start, start + classes)
    if (reason === undefined) continue
    throw labelError(`${op}: label ${first + Math.floor(start / classes / each)} ${reason}`)
  }
}

function notOneHot(values: ArrayLike<number>, start: number, end: number): string | undefined {
  let ones = 0
  let others = 0
  for (let i = start; i < end; i++) {
    if (values[i] === 1) ones++
    else if (values[i] !== 0) others++
  }
  return ones === 1 && others === 0 ? undefined : 'is not one-hot: it must have one 1 and zeros elsewhere'
}

/** How far probabilities may add up to something else than 1: as far as the loss lets them. */
const SLACK = 1e-3

function noProbabilities(values: ArrayLike<number>, start: number, end: number): string | undefined {
  let sum = 0
  let least = 0
  for (let i = start; i < end; i++) {
    sum += values[i]!
    least = Math.min(least, values[i]!)
  }
  const must = 'it must be one-hot or the probabilities of the classes'
  if (least < 0) return `has a negative number, ${least}: ${must}`
  return Math.abs(sum - 1) <= SLACK ? undefined : `adds up to ${sum}, not to 1: ${must}`
}
