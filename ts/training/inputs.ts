// What users give as inputs, as tensors that the model takes.

import { noGrad } from '../autograd/record.js'
import { pickInput } from '../data/rows.js'
import { ShapeError, show, typeError } from '../errors.js'
import { pixels } from '../ops/pixels.js'
import { type DType, isFloat } from '../tensor/dtype.js'
import { scope, unscoped } from '../tensor/scope.js'
import { showShape } from '../tensor/shape.js'
import { Tensor } from '../tensor/tensor.js'
import type { ModelShape, Trainable } from './trainable.js'
import { dtypeFor, exampleSize, fits, plain, share, showModelShape, upload, type Values } from './values.js'

/**
 * One {@link Values} for each input of the model: by itself where there is one, in an array where there are several. Integers of
 * a `Uint8Array` or of a uint8 tensor are pixels: 0…255 become 0…1, batch by batch. Other integers stay what they are.
 */
export type Inputs = Values | readonly Values[]

/** @internal Takes inputs over: those that are pixels become floats, the others are given back. */
export function asFloats(inputs: Tensor[], float: DType): Tensor[] {
  return inputs.map((input) => {
    if (input.dtype !== 'uint8') return input
    try {
      return unscoped(() => pixels(input, undefined, float))
    } finally {
      input.dispose()
    }
  })
}

/** @internal The dtype that the model computes in. */
export function floatOf(model: Trainable): DType {
  return model.weights.find((weight) => isFloat(weight.dtype))?.dtype ?? 'float32'
}

/** @internal One tensor for each input of the model. They belong to the caller. */
export function takeInputs(op: string, model: Trainable, x: Inputs): Tensor[] {
  const { inputShape } = model
  if (inputShape === undefined || !isList(inputShape)) return [takeInput(op, 'x', model, x as Values, inputShape)]
  const many = inputShape.length
  if (!Array.isArray(x) || x.length !== many) {
    throw typeError(
      `${op}: model "${model.name}" has ${many} inputs, so x must be an array with one entry for each. got ${Array.isArray(x) ? `${x.length} entries` : show(x)}`,
    )
  }
  const taken: Tensor[] = []
  try {
    for (const [i, shape] of inputShape.entries()) taken.push(takeInput(op, `x[${i}]`, model, x[i] as Values, shape))
    const counts = taken.map((input) => input.shape[0]!)
    if (counts.some((count) => count !== counts[0])) {
      throw new ShapeError(`${op}: the inputs have different numbers of samples: ${counts.join(', ')}`)
    }
    return taken
  } catch (error) {
    for (const input of taken) input.dispose()
    throw error
  }
}

function isList(shape: ModelShape | readonly ModelShape[]): shape is readonly ModelShape[] {
  return Array.isArray(shape[0])
}

function takeInput(op: string, name: string, model: Trainable, x: Values, shape: ModelShape | undefined): Tensor {
  if (x instanceof Tensor) {
    const taken = share(op, name, x)
    try {
      checkInput(op, name, model, x.shape, shape)
      return taken
    } catch (error) {
      taken.dispose()
      throw error
    }
  }
  const numbers = plain(op, name, x, (length) => shapeOfInput(op, name, length, shape))
  checkInput(op, name, model, numbers.shape, shape)
  return upload(numbers, dtypeFor(numbers, floatOf(model)))
}

function shapeOfInput(op: string, name: string, length: number, shape: ModelShape | undefined): readonly number[] {
  const size = shape && exampleSize(shape)
  if (size !== undefined && size > 0 && length % size === 0) return [length / size, ...(shape!.slice(1) as number[])]
  const why =
    size === undefined
      ? 'the model leaves the shape of its input open'
      : `each sample has ${size} values and ${length} are no multiple of it`
  throw new ShapeError(
    `${op}: ${name} is a typed array, which has no shape, and ${why}. give it one: tensor(values, { shape: [samples, …] })`,
  )
}

function checkInput(
  op: string,
  name: string,
  model: Trainable,
  shape: readonly number[],
  declared: ModelShape | undefined,
): void {
  if (declared === undefined ? shape.length > 0 : fits(shape, declared)) return
  const size = declared && exampleSize(declared)
  const count = shape.reduce((product, n) => product * n, 1)
  const way =
    declared !== undefined && size !== undefined && size > 0 && count > 0 && count % size === 0
      ? `. reshape it: reshape(${name}, [-1, ${declared.slice(1).join(', ')}])`
      : ''
  const takes = declared === undefined ? '[batch, …]' : showModelShape(declared)
  throw new ShapeError(`${op}: ${name} has shape ${showShape(shape)}, but model "${model.name}" takes ${takes}${way}`)
}

/** @internal The shape of what the model predicts. Lets a model that makes its weights on first sight do so. */
export function predictionShape(model: Trainable, inputs: readonly Tensor[]): ModelShape {
  if (model.outputShape !== undefined) return model.outputShape
  return scope(() => {
    const one = inputs.map((input) => pickInput(input, Int32Array.of(0), floatOf(model)))
    return [null, ...noGrad(() => forward(model, one, false)).shape.slice(1)]
  })
}

/** @internal */
export function forward(model: Trainable, inputs: Tensor[], training: boolean): Tensor {
  return model.forward(inputs.length === 1 ? inputs[0]! : inputs, { training })
}
