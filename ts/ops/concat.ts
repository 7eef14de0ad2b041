// Tensors one behind the other.

import { record } from '../autograd/record.js'
import { DTypeError, ShapeError, show, typeError } from '../errors.js'
import { native } from '../native/index.js'
import { checkAxis, checkShape, showShape } from '../tensor/shape.js'
import { checkTensor, empty, type Tensor } from '../tensor/tensor.js'

export interface ConcatOptions {
  /** The axis along which they follow each other. Default 0; negative axes count from the last. */
  axis?: number | undefined
}

/**
 * `tensors` one behind the other along an axis. All have the same dtype, any, and the same shape but for that axis.
 *
 * Throws a `ShapeError` when shapes do not fit, and a `DTypeError` when dtypes differ.
 *
 * @example
 * ```ts
 * import { concat, tensor } from 'ferrograd'
 * console.log(await concat([tensor([1, 2]), tensor([3])]).array()) // [ 1, 2, 3 ]
 * ```
 */
export function concat(tensors: readonly Tensor[], options: ConcatOptions = {}): Tensor {
  if (!Array.isArray(tensors))
    throw typeError(`concat: the first argument must be an array of tensors. got ${show(tensors)}`)
  if (tensors.length === 0) throw new ShapeError('concat: there are no tensors. give at least one')
  tensors.forEach((x, i) => {
    checkTensor('concat', `tensors[${i}]`, x)
  })
  const first = tensors[0] as Tensor
  if (first.shape.length === 0) {
    throw new ShapeError('concat: tensors[0] has shape [], without an axis to go along. reshape it to [1]')
  }
  if (typeof options !== 'object' || options === null)
    throw typeError(`concat: options must be an object. got ${show(options)}`)
  const axis = checkAxis('concat', options.axis ?? 0, first.shape.length)
  let length = 0
  tensors.forEach((x: Tensor, i) => {
    checkFits(first, x, i, axis)
    length += x.shape[axis]!
  })
  const shape = checkShape('concat', first.shape.with(axis, length))
  const y = empty(shape, first.dtype)
  const parts: { shape: readonly number[]; words: Float64Array }[] = []
  let begin = 0
  for (const x of tensors as Tensor[]) {
    const begins = x.shape.map((_, i) => (i === axis ? begin : 0))
    const words = Float64Array.of(...shape, ...begins, ...x.shape)
    native.insertForward(x.handle, y.handle, words)
    parts.push({ shape: x.shape, words })
    begin += x.shape[axis]!
  }
  return record('concat', y, tensors, [], (dy, _, wanted) =>
    parts.map(({ shape, words }, i) => {
      if (!wanted[i]) return undefined
      const dx = empty(shape, dy.dtype)
      native.sliceForward(dy.handle, dx.handle, words)
      return dx
    }),
  )
}

function checkFits(first: Tensor, x: Tensor, i: number, axis: number): void {
  if (x.dtype !== first.dtype) {
    throw new DTypeError(
      `concat: tensors[0] has dtype ${first.dtype}, but tensors[${i}] has ${x.dtype}. cast one: cast(x, { dtype: '${first.dtype}' })`,
    )
  }
  const fits =
    x.shape.length === first.shape.length && x.shape.every((size, at) => at === axis || size === first.shape[at])
  if (!fits) {
    throw new ShapeError(
      `concat: tensors[${i}] does not fit behind tensors[0] along axis ${axis}: only that axis may differ. ` +
        `tensors[0] ${showShape(first.shape)}, tensors[${i}] ${showShape(x.shape)}`,
    )
  }
}
