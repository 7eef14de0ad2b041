// Weights in and out of a layer or a model.

import { DTypeError, ShapeError, show, typeError } from '../errors.js'
import { native } from '../native/index.js'
import { dtypeOf, tensor } from '../tensor/create.js'
import type { TypedArray } from '../tensor/dtype.js'
import { scope } from '../tensor/scope.js'
import { sameShape, showShape } from '../tensor/shape.js'
import { checkTensor, empty, type NestedArray, Tensor } from '../tensor/tensor.js'
import type { Variable } from '../tensor/variable.js'

/** @internal A copy of each. */
export function copyWeights(weights: readonly Variable[]): Tensor[] {
  return weights.map((variable) => {
    const copy = empty(variable.shape, variable.dtype)
    native.copy(variable.handle, copy.handle)
    return copy
  })
}

/** @internal Assigns `values` to `weights`, all or none. */
export function replaceWeights(
  label: string,
  weights: readonly Variable[],
  values: readonly (Tensor | TypedArray | NestedArray)[],
): void {
  if (!Array.isArray(values)) {
    throw typeError(`${label}: setWeights expects an array, one item for each weight. got ${show(values)}`)
  }
  if (values.length !== weights.length) {
    throw new ShapeError(
      `${label}: setWeights expects ${weights.length} weights. got ${values.length}. they are ${weights.map(described).join(', ') || 'none'}`,
    )
  }
  scope(() => {
    const tensors = weights.map((variable, i) => asTensor(label, variable, values[i]!))
    weights.forEach((variable, i) => {
      variable.assign(tensors[i]!)
    })
  })
}

function asTensor(label: string, variable: Variable, value: Tensor | TypedArray | NestedArray): Tensor {
  const op = `${label}: setWeights`
  if (value instanceof Tensor) {
    checkTensor(op, `the value of "${variable.name}"`, value)
    if (value.dtype !== variable.dtype) {
      throw new DTypeError(`${op}: "${variable.name}" has dtype ${variable.dtype}. got a ${value.dtype} tensor`)
    }
    return fitting(op, variable, value)
  }
  if (dtypeOf(value) !== undefined) {
    const { length } = value as TypedArray
    if (length !== variable.size) {
      throw new ShapeError(
        `${op}: ${described(variable)} has ${variable.size} elements. got a typed array of ${length}`,
      )
    }
    return tensor(value, { shape: variable.shape, dtype: variable.dtype })
  }
  return fitting(op, variable, tensor(value, { dtype: variable.dtype }))
}

function fitting(op: string, variable: Variable, value: Tensor): Tensor {
  if (!sameShape(value.shape, variable.shape)) {
    throw new ShapeError(`${op}: ${described(variable)} cannot take values of shape ${showShape(value.shape)}`)
  }
  return value
}

function described(variable: Variable): string {
  return `"${variable.name}" ${showShape(variable.shape)}`
}
