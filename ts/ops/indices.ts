// Indices: whole numbers that name elements, in a tensor or as plain numbers.

import { DTypeError, rangeError, ShapeError, show, typeError } from '../errors.js'
import { native } from '../native/index.js'
import { tensor } from '../tensor/create.js'
import { alias, checkTensor, empty, Tensor } from '../tensor/tensor.js'

/** Where to look: int32 or uint8 in a tensor of any shape, or a flat list of whole numbers. */
export type Indices = Tensor | readonly number[] | Int32Array | Uint8Array

/**
 * @internal `indices` as an int32 tensor, which the caller disposes. Plain numbers are checked to be from 0 to
 * `size` - 1 here; those in a tensor are checked when the op runs, and a wrong one fails the next read.
 */
export function checkIndices(op: string, indices: unknown, size: number, of: string): Tensor {
  const flat = Array.isArray(indices) || indices instanceof Int32Array || indices instanceof Uint8Array
  if (!flat && !(indices instanceof Tensor)) {
    throw typeError(`${op}: indices must be a Tensor or an array of whole numbers. got ${show(indices)}`)
  }
  if (size === 0 && (flat ? indices.length : indices.size) > 0) {
    throw new ShapeError(`${op}: there is nothing to name: ${of} has no elements`)
  }
  if (!flat) return checkTensorOfIndices(op, indices)
  indices.forEach((index: unknown, position) => {
    if (typeof index !== 'number') {
      throw typeError(`${op}: indices must be whole numbers. got ${show(index)} at position ${position}`)
    }
    if (!Number.isInteger(index) || index < 0 || index >= size) {
      throw rangeError(
        `${op}: index ${show(index)} at position ${position} is no whole number from 0 to ${size - 1}. ${of} has ${size} elements`,
      )
    }
  })
  return tensor(Int32Array.from(indices))
}

function checkTensorOfIndices(op: string, indices: Tensor): Tensor {
  checkTensor(op, 'indices', indices)
  if (indices.dtype === 'int32') return alias(indices)
  if (indices.dtype !== 'uint8') {
    throw new DTypeError(
      `${op}: indices has dtype ${indices.dtype}, but indices are int32 or uint8. cast it first: cast(indices, { dtype: 'int32' })`,
    )
  }
  const wide = empty(indices.shape, 'int32')
  native.castForward(indices.handle, wide.handle)
  return wide
}
