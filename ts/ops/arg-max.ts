// Where the largest is.

import { ShapeError } from '../errors.js'
import { native } from '../native/index.js'
import { showShape } from '../tensor/shape.js'
import { checkTensor, empty, type Tensor } from '../tensor/tensor.js'
import { checkSome, reduction } from './reduce.js'

export interface ArgMaxOptions {
  /** The axis to look along, or several; all when left out. Positions then count in row-major order of these axes. */
  axis?: number | readonly number[] | undefined
  /** Keep it with size 1. Default false. */
  keepDims?: boolean | undefined
}

/**
 * The position of the largest along axes, all by default, int32: the first of several, and the first NaN if there is one. Every dtype.
 * It has no gradient.
 *
 * @example
 * ```ts
 * import { argMax, tensor } from 'ferrograd'
 * console.log(await argMax(tensor([[1, 4], [3, 2]]), { axis: 1 }).array()) // [ 1, 0 ]
 * ```
 */
export function argMax(x: Tensor, options: ArgMaxOptions = {}): Tensor {
  checkTensor('argMax', 'x', x)
  const plan = reduction('argMax', x.shape, options)
  checkSome('argMax', x.shape, plan)
  if (plan.count > 2 ** 31 - 1) {
    throw new ShapeError(`argMax: positions beyond 2^31 - 1 do not fit in int32. input ${showShape(x.shape)}`)
  }
  const y = empty(plan.shape, 'int32')
  native.argMaxForward(x.handle, y.handle, plan.words)
  return y
}
