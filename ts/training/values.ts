// Numbers as users have them.

import { ShapeError, show, typeError } from '../errors.js'
import { dtypeOf, flatten, tensor } from '../tensor/create.js'
import { type DType, isFloat, type TypedArray } from '../tensor/dtype.js'
import { unscoped } from '../tensor/scope.js'
import { alias, checkTensor, type NestedArray, type Tensor } from '../tensor/tensor.js'
import type { ModelShape } from './trainable.js'

/**
 * Inputs or labels. The first axis counts samples. A typed array takes its shape from the model, and floats in arrays
 * take the dtype of the model's weights. Integers of typed arrays and of tensors stay integers, save pixels: see
 * {@link Inputs}.
 */
export type Values = Tensor | TypedArray | NestedArray

/** @internal Numbers of an array of any kind, row by row, with their shape. */
export interface Plain {
  readonly values: ArrayLike<number>
  readonly shape: readonly number[]
  /** That of a typed array. */
  readonly dtype: DType | undefined
}

/** @internal The numbers of an array. `shapeOf` gives the shape of a typed array of some length, or throws. */
export function plain(
  op: string,
  name: string,
  values: Exclude<Values, Tensor>,
  shapeOf: (length: number) => readonly number[],
): Plain {
  if (Array.isArray(values)) {
    const into: number[] = []
    return { shape: flatten(values, into), values: into, dtype: undefined }
  }
  const dtype = dtypeOf(values)
  if (dtype === undefined) {
    throw typeError(
      `${op}: ${name} must be a Tensor, a Float32Array, Float64Array, Int32Array or Uint8Array, or nested arrays. got ${show(values)}`,
    )
  }
  const typed = values as TypedArray
  return { values: typed, shape: shapeOf(typed.length), dtype }
}

/** @internal A tensor of these numbers that belongs to the caller alone. */
export function upload({ values, shape }: Plain, dtype: DType): Tensor {
  const typed = Array.isArray(values) ? Float64Array.from(values) : (values as TypedArray)
  return unscoped(() => tensor(typed, { shape: [...shape], dtype }))
}

/** @internal A second tensor over the memory of the user's, which may so be disposed. It belongs to the caller alone. */
export function share(op: string, name: string, x: Tensor, shape?: readonly number[]): Tensor {
  checkTensor(op, name, x)
  if (x.shape.length === 0) {
    throw new ShapeError(`${op}: ${name} has shape [], but its first axis must count samples`)
  }
  return alias(x, shape)
}

/** @internal Floats become those of the model; integers stay what they are. */
export function dtypeFor({ dtype }: Plain, float: DType): DType {
  return dtype === undefined || isFloat(dtype) ? float : dtype
}

/** @internal Whether a shape is what a model declares; null fits all. */
export function fits(shape: readonly number[], declared: ModelShape): boolean {
  return shape.length === declared.length && shape.every((size, axis) => (declared[axis] ?? size) === size)
}

/** @internal Values in one sample, where the model fixes it. */
export function exampleSize(shape: ModelShape): number | undefined {
  let size = 1
  for (const n of shape.slice(1)) {
    if (n === null) return undefined
    size *= n
  }
  return size
}

/** @internal `[batch, 28, 28, 1]` */
export function showModelShape(shape: ModelShape): string {
  return `[${shape.map((size, axis) => size ?? (axis === 0 ? 'batch' : 'any')).join(', ')}]`
}
