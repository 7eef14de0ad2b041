// Class indices as rows with a single one.

import { rangeError, show, typeError } from '../errors.js'
import { native } from '../native/index.js'
import { checkDType, checkFloat, type DType } from '../tensor/dtype.js'
import { checkShape } from '../tensor/shape.js'
import { empty, type Tensor } from '../tensor/tensor.js'
import { checkIndices, type Indices } from './indices.js'

export interface OneHotOptions {
  /** The number of classes: the size of the new last axis. */
  depth: number
  /** 'float32' (the default) or 'float64'. */
  dtype?: DType | undefined
}

/**
 * A one at each index and zeros elsewhere: indices of shape [...] → [..., depth]. It has no gradient.
 *
 * Plain indices are checked at once: a `RangeError`. Those in a tensor, int32 or uint8, are checked when the work is
 * done: an index outside rejects the next read with a `StreamError`, and all reads after it.
 *
 * @example
 * ```ts
 * import { oneHot } from 'ferrograd'
 * console.log(await oneHot([2, 0], { depth: 3 }).array()) // [ [ 0, 0, 1 ], [ 1, 0, 0 ] ]
 * ```
 */
export function oneHot(indices: Indices, options: OneHotOptions): Tensor {
  if (typeof options !== 'object' || options === null) {
    throw typeError(`oneHot: options must be an object with depth. got ${show(options)}`)
  }
  const { depth, dtype = 'float32' } = options
  if (typeof depth !== 'number') throw typeError(`oneHot: depth must be a whole number from 1. got ${show(depth)}`)
  if (!Number.isInteger(depth) || depth < 1 || depth > 2 ** 31) {
    throw rangeError(`oneHot: depth must be a whole number from 1 to 2^31. got ${show(depth)}`)
  }
  checkDType('oneHot', dtype)
  checkFloat('oneHot', 'the result', dtype)
  const rows = checkIndices('oneHot', indices, depth, `a row of depth ${depth}`)
  const y = empty(checkShape('oneHot', [...rows.shape, depth]), dtype)
  native.oneHotForward(rows.handle, y.handle, depth)
  rows.dispose()
  return y
}
