// Tensors from JavaScript values.

import { rangeError, ShapeError, show, typeError } from '../errors.js'
import { native } from '../native/index.js'
import { checkDType, type DType, type TypedArray } from './dtype.js'
import { checkShape, showShape, sizeOf } from './shape.js'
import { empty, type NestedArray, type Tensor, taken } from './tensor.js'

export interface TensorOptions {
  /** Taken from the nesting of the values, or `[length]` of a typed array, when left out. */
  shape?: readonly number[]
  /** That of the typed array; 'float32' for plain numbers. */
  dtype?: DType
}

/** @internal The dtype that a typed array stands for, if it is one that tensors hold. */
export function dtypeOf(values: unknown): DType | undefined {
  if (values instanceof Float32Array) return 'float32'
  if (values instanceof Float64Array) return 'float64'
  if (values instanceof Int32Array) return 'int32'
  if (values instanceof Uint8Array || values instanceof Uint8ClampedArray) return 'uint8'
  return undefined
}

/**
 * A tensor with a copy of these values: a number, nested arrays (all rows equally long) or a typed array.
 *
 * Throws a `ShapeError` when rows differ in length or `shape` does not fit, and a `RangeError` when an integer
 * dtype cannot hold a value.
 *
 * @example
 * ```ts
 * import { tensor } from 'ferrograd'
 * const x = tensor([[1, 2, 3], [4, 5, 6]])
 * console.log(x.shape, x.dtype) // [ 2, 3 ] float32
 * const image = tensor(new Uint8Array(28 * 28), { shape: [28, 28, 1] })
 * console.log(image.dtype) // uint8
 * ```
 */
export function tensor(values: NestedArray | TypedArray | Uint8ClampedArray, options: TensorOptions = {}): Tensor {
  const found = dtypeOf(values)
  const dtype = options.dtype ?? found ?? 'float32'
  checkDType('tensor', dtype)
  let flat: ArrayLike<number>
  let shape: readonly number[]
  if (found !== undefined) {
    flat = values as TypedArray
    shape = [flat.length]
  } else if (ArrayBuffer.isView(values)) {
    throw typeError(
      `tensor: ${show(values)} is no kind of number that tensors hold. use Float32Array, Float64Array, Int32Array or Uint8Array`,
    )
  } else {
    const nested: number[] = []
    shape = flatten(values as NestedArray, nested)
    flat = nested
  }
  if (options.shape !== undefined) {
    const wanted = checkShape('tensor', options.shape)
    if (sizeOf(wanted) !== flat.length) {
      throw new ShapeError(
        `tensor: ${flat.length} values do not fill shape ${showShape(wanted)}, which has ${sizeOf(wanted)}`,
      )
    }
    shape = wanted
  }
  return upload(flat, shape, dtype)
}

function upload(values: ArrayLike<number>, shape: readonly number[], dtype: DType): Tensor {
  switch (dtype) {
    case 'float32': {
      const floats = values instanceof Float32Array ? values : Float32Array.from(values)
      return taken(() => native.uploadFloat32(floats), shape, dtype)
    }
    case 'float64': {
      const doubles = values instanceof Float64Array ? values : Float64Array.from(values)
      return taken(() => native.uploadFloat64(doubles), shape, dtype)
    }
    case 'int32': {
      if (!(values instanceof Int32Array)) checkIntegers(values, -(2 ** 31), 2 ** 31 - 1, dtype)
      const integers = values instanceof Int32Array ? values : Int32Array.from(values)
      return taken(() => native.uploadInt32(integers), shape, dtype)
    }
    case 'uint8': {
      if (!(values instanceof Uint8Array || values instanceof Uint8ClampedArray)) checkIntegers(values, 0, 255, dtype)
      // A Buffer is a Uint8Array, and the native side takes just that.
      const bytes = values instanceof Uint8Array ? values : Uint8Array.from(values)
      return taken(() => native.uploadUint8(bytes), shape, dtype)
    }
  }
}

function checkIntegers(values: ArrayLike<number>, min: number, max: number, dtype: DType): void {
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    if (!Number.isInteger(value) || value < min || value > max) {
      throw rangeError(
        `tensor: ${dtype} cannot hold ${value} (element ${i}): it holds whole numbers from ${min} to ${max}`,
      )
    }
  }
}

/** @internal Appends the numbers of nested arrays to `into`, and returns their shape. */
export function flatten(values: NestedArray, into: number[]): number[] {
  const shape: number[] = []
  for (let level: NestedArray | undefined = values; Array.isArray(level); level = level[0]) {
    shape.push(level.length)
    if (shape.length > 32) throw new ShapeError('tensor: values are nested more than 32 deep')
  }
  const visit = (value: unknown, axis: number): void => {
    if (axis === shape.length) {
      if (typeof value !== 'number') {
        if (Array.isArray(value)) throw raggedError(axis, `an array where a number is expected`)
        throw typeError(`tensor: values must be numbers. got ${show(value)} (element ${into.length})`)
      }
      into.push(value)
    } else if (!Array.isArray(value)) {
      if (typeof value !== 'number') throw typeError(`tensor: values must be numbers or arrays. got ${show(value)}`)
      throw raggedError(axis, 'a number where an array is expected')
    } else if (value.length !== shape[axis]) {
      throw raggedError(axis, `lengths ${shape[axis]} and ${value.length}`)
    } else {
      for (let i = 0; i < value.length; i++) visit(value[i], axis + 1)
    }
  }
  visit(values, 0)
  return shape
}

function raggedError(axis: number, found: string): ShapeError {
  return new ShapeError(`tensor: the rows along axis ${axis} differ: ${found}. all rows of an axis are equally long`)
}

/** A tensor of `shape` filled with `value`. `dtype` defaults to 'float32'. */
export function full(shape: readonly number[], value: number, options: { dtype?: DType } = {}): Tensor {
  return filled('full', shape, value, options.dtype)
}

/** A tensor of zeros. `dtype` defaults to 'float32'. */
export function zeros(shape: readonly number[], options: { dtype?: DType } = {}): Tensor {
  return filled('zeros', shape, 0, options.dtype)
}

/** A tensor of ones. `dtype` defaults to 'float32'. */
export function ones(shape: readonly number[], options: { dtype?: DType } = {}): Tensor {
  return filled('ones', shape, 1, options.dtype)
}

function filled(op: string, shape: readonly number[], value: unknown, dtype: DType = 'float32'): Tensor {
  const checked = checkShape(op, shape)
  checkDType(op, dtype)
  if (typeof value !== 'number') throw typeError(`${op}: value must be a number. got ${show(value)}`)
  if (dtype === 'int32') checkIntegers([value], -(2 ** 31), 2 ** 31 - 1, dtype)
  if (dtype === 'uint8') checkIntegers([value], 0, 255, dtype)
  const y = empty(checked, dtype)
  native.fill(y.handle, value)
  return y
}
