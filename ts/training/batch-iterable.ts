// Batches of the user's: anything that can be iterated, waiting or not.

import { Batches } from '../data/batches.js'
import { rangeError, ShapeError, show, typeError } from '../errors.js'
import { cast } from '../ops/index.js'
import { isFloat } from '../tensor/dtype.js'
import { unscoped } from '../tensor/scope.js'
import { Tensor } from '../tensor/tensor.js'
import type { Compiled } from './compile.js'
import { asFloats, floatOf, type Inputs, predictionShape, takeInputs } from './inputs.js'
import { type Expectation, takeLabels } from './labels.js'
import type { Pass, ReadyBatch, Source } from './source.js'
import type { Trainable } from './trainable.js'
import { fits, type Values } from './values.js'
import { takeWeights } from './weights.js'

/** One batch. `sampleWeight` holds a factor for the loss of each sample. */
export interface Batch {
  xs: Inputs
  ys: Values
  sampleWeight?: Values
}

/** Batches, such as those of `batches` or of a generator. */
export type BatchIterable = Iterable<Batch> | AsyncIterable<Batch>

/** @internal Whether something is batches rather than inputs. */
export function isBatches(x: unknown): x is BatchIterable {
  if (typeof x !== 'object' || x === null || x instanceof Tensor || ArrayBuffer.isView(x)) return false
  if (Symbol.asyncIterator in x) return true
  if (Array.isArray(x)) return typeof x[0] === 'object' && x[0] !== null && 'xs' in x[0]
  return Symbol.iterator in x
}

/** @internal Batches as a source. Tensors in them stay the user's. */
export function iterableSource(op: string, model: Trainable, compiled: Compiled, batches: BatchIterable): Source {
  const { length } = batches as { length?: unknown }
  let begun = false
  return {
    steps: typeof length === 'number' && Number.isInteger(length) ? length : undefined,
    jumps: batches instanceof Batches,
    open: (pass, first) => {
      // What goes on in the middle of a training sees the orders it would have seen; a new one goes on where `batches` is.
      const jumps = batches instanceof Batches && !begun && (pass > 0 || first > 0)
      begun = true
      const iterator = jumps ? batches.open(pass, first) : iteratorOf(batches)
      const classes = batches instanceof Batches ? batches.$classes : undefined
      return iterate(op, model, compiled, iterator, jumps ? first : 0, classes)
    },
  }
}

type BatchIterator = Iterator<Batch> | AsyncIterator<Batch>

function iteratorOf(batches: BatchIterable): BatchIterator {
  return Symbol.asyncIterator in batches ? batches[Symbol.asyncIterator]() : batches[Symbol.iterator]()
}

function iterate(
  op: string,
  model: Trainable,
  compiled: Compiled,
  iterator: BatchIterator,
  first: number,
  classes: number | undefined,
): Pass {
  let number = first
  let over = false
  let waiting = false
  const advance = async (): Promise<IteratorResult<Batch>> => {
    waiting = true
    try {
      return await iterator.next()
    } catch (error) {
      // What throws is over; it need not be told to return.
      over = true
      throw error
    } finally {
      waiting = false
    }
  }
  return {
    async next() {
      if (over) return undefined
      const result = await advance()
      // It may have been closed in the meantime, if it took long.
      if (over || result.done === true) {
        over = true
        return undefined
      }
      return ready(op, model, compiled, result.value, number++, classes)
    },
    async close() {
      if (over) return
      over = true
      const returned = iterator.return?.()
      // A generator that is asked for a batch cannot return before it has one, which may be never.
      if (waiting) Promise.resolve(returned).catch(() => {})
      else await returned
    },
  }
}

function ready(
  op: string,
  model: Trainable,
  compiled: Compiled,
  batch: Batch,
  number: number,
  classes: number | undefined,
): ReadyBatch {
  if (typeof batch !== 'object' || batch === null || !('xs' in batch && 'ys' in batch)) {
    throw typeError(`${op}: each batch must be { xs, ys }. got ${show(batch)} (batch ${number})`)
  }
  const made: Tensor[] = []
  try {
    const float = floatOf(model)
    const taken = takeInputs(op, model, batch.xs)
    made.push(...taken)
    const inputs = asFloats(taken, float)
    made.push(...inputs)
    const size = inputs[0]!.shape[0]!
    if (size === 0) throw new ShapeError(`${op}: batch ${number} has no samples`)
    const predictions = predictionShape(model, inputs)
    const expected = { op, model, float, predictions, lossName: compiled.lossName }
    if (classes !== undefined) checkClasses(expected, classes)
    const labels = floatValues(expected, takeLabels(expected, size, batch.ys))
    made.push(labels)
    const { sampleWeight } = batch
    const weights = sampleWeight === undefined ? undefined : takeWeights(op, size, sampleWeight, expected.float)
    return { size, expected, inputs, labels, weights }
  } catch (error) {
    for (const tensor of made) tensor.dispose()
    throw error
  }
}

/** Labels of batches are not looked at, but how many classes the data have may be known. */
function checkClasses({ op, model, predictions, lossName }: Expectation, classes: number): void {
  const told = predictions.at(-1)
  if ((lossName !== 'softmaxCrossEntropy' && lossName !== 'svm') || typeof told !== 'number' || told >= classes) return
  throw rangeError(
    `${op}: the data have ${classes} classes, but model "${model.name}" tells ${told}. give its last layer ${classes} outputs`,
  )
}

/** Values to predict that came as integers become floats; classes stay. Takes the labels over. */
function floatValues({ predictions, float, lossName }: Expectation, labels: Tensor): Tensor {
  if (lossName === undefined || isFloat(labels.dtype) || !fits(labels.shape, predictions)) return labels
  try {
    return unscoped(() => cast(labels, { dtype: float }))
  } finally {
    labels.dispose()
  }
}
