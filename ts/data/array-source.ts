// Samples in memory.

import { ShapeError, show, typeError } from '../errors.js'
import { type ChannelStatistics, pixels } from '../ops/pixels.js'
import { dtypeOf, tensor } from '../tensor/create.js'
import { type DType, isFloat, type TypedArray } from '../tensor/dtype.js'
import { unscoped } from '../tensor/scope.js'
import { showShape } from '../tensor/shape.js'
import { checkTensor, type NestedArray, Tensor } from '../tensor/tensor.js'
import { checkStatisticsFit } from './channel-statistics.js'
import { indexedSource } from './indexed-source.js'
import { pickInput, pickRows } from './rows.js'
import type { SampleSource } from './sample-source.js'

/** Samples in memory: a tensor, nested arrays, or a typed array, whose shape follows from the number of labels. */
export type Samples = Tensor | TypedArray | NestedArray[]

/** Images, or other inputs, with the label of each. */
export interface LabelledImages {
  images: Tensor
  labels: Tensor
}

/** Samples in memory with their labels, under the names that datasets have or those of batches. */
export type LabelledSamples = { images: Samples; labels: Samples } | { xs: Samples; ys: Samples }

/** @internal Samples in tensors and arrays. Tensors are shared, arrays copied. */
export function arraySource(
  op: string,
  source: LabelledSamples,
  normalize: ChannelStatistics | undefined,
  labelDType: DType | undefined,
): SampleSource {
  const [first, second, inputs, labels] =
    'images' in source
      ? (['images', 'labels', source.images, source.labels] as const)
      : (['xs', 'ys', source.xs, source.ys] as const)
  const ys = toTensor(op, second, labels, undefined, labelDType ?? dtypeOfLabels(labels))
  const xs = toTensor(op, first, inputs, ys.shape[0], 'float32')
  if (xs.shape[0] !== ys.shape[0]) {
    throw new ShapeError(
      `${op}: there are ${xs.shape[0]} samples and ${ys.shape[0]} labels. ${first} ${showShape(xs.shape)}, ${second} ${showShape(ys.shape)}`,
    )
  }
  if (normalize !== undefined) checkStatisticsFit(op, first, normalize, xs.shape, xs.dtype)
  const { classNames } = source as { classNames?: unknown }
  const classes = Array.isArray(classNames) ? classNames.length : undefined
  return indexedSource({ count: xs.shape[0]!, classes, waits: false }, (samples, { normalize, raw }) => ({
    xs: raw
      ? pickRows(xs, samples)
      : normalize === undefined
        ? pickInput(xs, samples, 'float32')
        : pixels(xs, samples, floatFor(xs), normalize),
    ys: pickRows(ys, samples),
    samples,
    finished: !raw,
  }))
}

/** What pixels become, and floats remain. */
function floatFor({ dtype }: Tensor): DType {
  return isFloat(dtype) ? dtype : 'float32'
}

/** Single whole numbers are classes. */
function dtypeOfLabels(labels: Samples): DType {
  return Array.isArray(labels) && labels.every((label) => Number.isInteger(label)) ? 'int32' : 'float32'
}

function toTensor(op: string, name: string, values: Samples, count: number | undefined, dtype: DType): Tensor {
  if (dtypeOf(values) !== undefined) return fromTyped(op, name, values as TypedArray, count)
  if (Array.isArray(values)) return unscoped(() => tensor(values, { dtype }))
  if (!(values instanceof Tensor)) {
    throw typeError(`${op}: ${name} must be a Tensor, a typed array or nested arrays. got ${show(values)}`)
  }
  checkTensor(op, name, values)
  if (values.shape.length === 0) throw new ShapeError(`${op}: ${name} has shape [], so it has no samples`)
  return values
}

/** A typed array has no shape: it is as many samples as there are labels. */
function fromTyped(op: string, name: string, values: TypedArray, count: number | undefined): Tensor {
  if (count === undefined) return unscoped(() => tensor(values))
  if (count === 0 || values.length % count !== 0) {
    throw new ShapeError(
      `${op}: ${name} has ${values.length} values, which is no multiple of ${count} labels. give it a shape: tensor(values, { shape: [samples, …] })`,
    )
  }
  return unscoped(() => tensor(values, { shape: [count, values.length / count] }))
}
