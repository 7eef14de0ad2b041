// What kinds of number a tensor holds.

import { DTypeError, show, typeError } from '../errors.js'

export type DType = 'float32' | 'float64' | 'int32' | 'uint8'
export type TypedArray = Float32Array | Float64Array | Int32Array | Uint8Array

/** @internal The numbering that the native side shares. */
export const dtypeCode: Readonly<Record<DType, number>> = { float32: 0, float64: 1, int32: 2, uint8: 3 }

/** @internal */
export const bytesPerElement: Readonly<Record<DType, number>> = { float32: 4, float64: 8, int32: 4, uint8: 1 }

/** @internal */
export function isFloat(dtype: DType): boolean {
  return dtype === 'float32' || dtype === 'float64'
}

/** @internal Throws unless `value` is the name of a dtype. */
export function checkDType(op: string, value: unknown): asserts value is DType {
  if (typeof value !== 'string' || !Object.hasOwn(dtypeCode, value)) {
    throw typeError(`${op}: dtype must be 'float32', 'float64', 'int32' or 'uint8'. got ${show(value)}`)
  }
}

/** @internal Throws unless `dtype` is a float. `argument` is what the user calls the tensor. */
export function checkFloat(op: string, argument: string, dtype: DType): void {
  if (!isFloat(dtype)) {
    throw new DTypeError(
      `${op}: ${argument} has dtype ${dtype}, but the op computes on float32 and float64. cast it first: cast(${argument}, { dtype: 'float32' })`,
    )
  }
}
