// Another kind of number.

import { record } from '../autograd/record.js'
import { show, typeError } from '../errors.js'
import { native } from '../native/index.js'
import { checkDType, type DType, isFloat } from '../tensor/dtype.js'
import { checkTensor, empty, share, type Tensor } from '../tensor/tensor.js'

export interface CastOptions {
  dtype: DType
}

/**
 * The elements of `x` as another kind of number. Floats become integers without their fraction; beyond the integer's
 * range they stop at its end, and NaN becomes 0. int32 becomes uint8 modulo 256. To a float: the nearest. Between floats
 * the gradient passes; integers have none. The same dtype shares the memory of `x`.
 *
 * @example
 * ```ts
 * import { cast, tensor } from 'ferrograd'
 * const pixels = tensor(new Uint8Array([0, 128, 255]))
 * console.log(await cast(pixels, { dtype: 'float32' }).data()) // Float32Array(3) [ 0, 128, 255 ]
 * ```
 */
export function cast(x: Tensor, options: CastOptions): Tensor {
  checkTensor('cast', 'x', x)
  if (typeof options !== 'object' || options === null) {
    throw typeError(`cast: options must be an object with dtype. got ${show(options)}`)
  }
  const { dtype } = options
  checkDType('cast', dtype)
  const from = x.dtype
  if (from === dtype) return record('cast', share(x, x.shape), [x], [], (dy) => [dy])
  const y = converted(x, dtype)
  return isFloat(dtype) ? record('cast', y, [x], [], (dy) => [converted(dy, from)]) : y
}

function converted(x: Tensor, dtype: DType): Tensor {
  const y = empty(x.shape, dtype)
  native.castForward(x.handle, y.handle)
  return y
}
