// Borders around a tensor.

import { record } from '../autograd/record.js'
import { rangeError, ShapeError, show, typeError } from '../errors.js'
import { native } from '../native/index.js'
import { isFloat } from '../tensor/dtype.js'
import { checkShape, showShape } from '../tensor/shape.js'
import { checkTensor, empty, type Tensor } from '../tensor/tensor.js'

export interface PadOptions {
  /** Elements to add before and behind each axis. */
  padding: readonly (readonly [number, number])[]
  /** What they are. Default 0. */
  value?: number | undefined
}

/**
 * `x` with `value` added around it: axis i grows by `padding[i][0]` elements before and `padding[i][1]` behind. Every
 * dtype; an integer dtype needs a `value` that it can hold.
 *
 * Throws a `ShapeError` unless there is one pair for each axis, and a `RangeError` for numbers that are no counts.
 *
 * @example
 * ```ts
 * import { pad, tensor } from 'ferrograd'
 * console.log(await pad(tensor([[1, 2]]), { padding: [[1, 0], [0, 1]] }).array()) // [ [ 0, 0, 0 ], [ 1, 2, 0 ] ]
 * ```
 */
export function pad(x: Tensor, options: PadOptions): Tensor {
  checkTensor('pad', 'x', x)
  if (typeof options !== 'object' || options === null) {
    throw typeError(`pad: options must be an object with padding. got ${show(options)}`)
  }
  const { padding, value = 0 } = options
  checkPadding(padding, x.shape)
  checkValue(value, x)
  const before = padding.map(([before]) => before)
  const shape = checkShape(
    'pad',
    x.shape.map((size, axis) => size + padding[axis]![0] + padding[axis]![1]),
  )
  const words = Float64Array.of(...shape, ...before, ...x.shape)
  const xShape = x.shape
  const y = empty(shape, x.dtype)
  native.padForward(x.handle, y.handle, words, value)
  return record('pad', y, [x], [], (dy) => {
    const dx = empty(xShape, dy.dtype)
    native.sliceForward(dy.handle, dx.handle, words)
    return [dx]
  })
}

function checkPadding(padding: unknown, shape: readonly number[]): asserts padding is readonly [number, number][] {
  if (!Array.isArray(padding)) throw typeError(`pad: padding must be an array of [before, after]. got ${show(padding)}`)
  if (padding.length !== shape.length) {
    throw new ShapeError(
      `pad: padding has ${padding.length} pairs, but the input has ${shape.length} axes. padding ${show(padding)}, input ${showShape(shape)}`,
    )
  }
  for (const pair of padding as unknown[]) {
    if (!Array.isArray(pair) || pair.length !== 2 || pair.some((count) => typeof count !== 'number')) {
      throw typeError(`pad: padding must be an array of [before, after]. got ${show(padding)}`)
    }
    if (pair.some((count) => !Number.isSafeInteger(count) || count < 0)) {
      throw rangeError(`pad: padding must be whole numbers from 0. got ${show(padding)}`)
    }
  }
}

function checkValue(value: unknown, x: Tensor): asserts value is number {
  if (typeof value !== 'number') throw typeError(`pad: value must be a number. got ${show(value)}`)
  if (isFloat(x.dtype)) return
  const [least, most] = x.dtype === 'uint8' ? [0, 255] : [-(2 ** 31), 2 ** 31 - 1]
  if (!Number.isInteger(value) || value < least || value > most) {
    throw rangeError(`pad: ${x.dtype} holds whole numbers from ${least} to ${most}. got value ${show(value)}`)
  }
}
