// A box cut out of a tensor.

import { record } from '../autograd/record.js'
import { rangeError, ShapeError, show, typeError } from '../errors.js'
import { native } from '../native/index.js'
import { showShape } from '../tensor/shape.js'
import { checkTensor, empty, type Tensor } from '../tensor/tensor.js'

export interface SliceOptions {
  /** Where the box begins, for the first axis or for several from the first on; 0 on the others. */
  begin: number | readonly number[]
  /** How many elements it takes, likewise. -1 and what is left out: all to the end of the axis. */
  size?: number | readonly number[] | undefined
}

/**
 * The box of `x` that starts at `begin` and has `size` elements along each axis. A size of 0 gives an empty tensor.
 * Every dtype.
 *
 * Throws a `RangeError` for numbers that are no positions, and a `ShapeError` when the box reaches beyond `x`.
 *
 * @example
 * ```ts
 * import { slice, tensor } from 'ferrograd'
 * const x = tensor([[1, 2, 3], [4, 5, 6]])
 * console.log(await slice(x, { begin: [0, 1], size: [2, 2] }).array()) // [ [ 2, 3 ], [ 5, 6 ] ]
 * console.log(await slice(x, { begin: 1 }).array()) // [ [ 4, 5, 6 ] ]
 * ```
 */
export function slice(x: Tensor, options: SliceOptions): Tensor {
  checkTensor('slice', 'x', x)
  if (typeof options !== 'object' || options === null) {
    throw typeError(`slice: options must be an object with begin. got ${show(options)}`)
  }
  const { shape } = x
  const begin = perAxis('begin', options.begin, shape, 0)
  const size = perAxis('size', options.size ?? [], shape, -1).map((size, axis) =>
    size === -1 ? Math.max(shape[axis]! - begin[axis]!, 0) : size,
  )
  for (let axis = 0; axis < shape.length; axis++) {
    const end = begin[axis]! + size[axis]!
    if (begin[axis]! > shape[axis]! || end > shape[axis]!) {
      throw new ShapeError(
        `slice: elements ${begin[axis]} to ${Math.max(end - 1, begin[axis]!)} of axis ${axis} are asked for, but it has ${shape[axis]}. ` +
          `input ${showShape(shape)}, begin ${showShape(begin)}, size ${showShape(size)}`,
      )
    }
  }
  const words = Float64Array.of(...shape, ...begin, ...size)
  const y = empty(size, x.dtype)
  native.sliceForward(x.handle, y.handle, words)
  return record('slice', y, [x], [], (dy) => {
    const dx = empty(shape, dy.dtype)
    native.padForward(dy.handle, dx.handle, words, 0)
    return [dx]
  })
}

/** One whole number from `least` for each axis; 0 or -1 where none is given. */
function perAxis(name: string, given: unknown, shape: readonly number[], least: 0 | -1): number[] {
  const list: unknown[] = Array.isArray(given) ? given : [given]
  if (list.length > shape.length) {
    throw new ShapeError(
      `slice: ${name} has ${list.length} numbers, but the input has ${shape.length} axes. ${name} ${show(given)}, input ${showShape(shape)}`,
    )
  }
  for (const value of list) {
    if (typeof value !== 'number') {
      throw typeError(`slice: ${name} must be a whole number or an array of them. got ${show(given)}`)
    }
    if (!Number.isSafeInteger(value) || value < least) {
      throw rangeError(`slice: ${name} must be whole numbers from ${least}. got ${show(given)}`)
    }
  }
  return shape.map((_, axis) => (list[axis] as number | undefined) ?? least)
}
