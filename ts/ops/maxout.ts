// The largest of several linear functions.

import { rangeError, ShapeError, show, typeError } from '../errors.js'
import { checkFloat } from '../tensor/dtype.js'
import { scope } from '../tensor/scope.js'
import { showShape } from '../tensor/shape.js'
import { checkTensor, type Tensor } from '../tensor/tensor.js'
import { max } from './max.js'
import { reshape } from './reshape.js'

export interface MaxoutOptions {
  /** How many consecutive channels make one. */
  pieces: number
}

/**
 * The largest of every `pieces` consecutive channels: [..., C] → [..., C / pieces]. Float. Where several are the
 * largest, they share the gradient equally.
 *
 * Throws a `ShapeError` unless `pieces` divides C.
 *
 * Source: Goodfellow, Warde-Farley, Mirza, Courville and Bengio 2013.
 *
 * @example
 * ```ts
 * import { maxout, tensor } from 'ferrograd'
 * console.log(await maxout(tensor([[1, 5, 3, 2]]), { pieces: 2 }).array()) // [ [ 5, 3 ] ]
 * ```
 */
export function maxout(x: Tensor, options: MaxoutOptions): Tensor {
  checkTensor('maxout', 'x', x)
  checkFloat('maxout', 'x', x.dtype)
  if (typeof options !== 'object' || options === null) {
    throw typeError(`maxout: options must be an object with pieces. got ${show(options)}`)
  }
  const { pieces } = options
  if (typeof pieces !== 'number') throw typeError(`maxout: pieces must be a whole number from 1. got ${show(pieces)}`)
  if (!Number.isSafeInteger(pieces) || pieces < 1) {
    throw rangeError(`maxout: pieces must be a whole number from 1. got ${show(pieces)}`)
  }
  const channels = x.shape.at(-1)
  if (channels === undefined || channels % pieces !== 0) {
    throw new ShapeError(
      `maxout: ${channels === undefined ? 'a tensor without axes has no channels' : `${channels} channels do not make groups of ${pieces}`}. input ${showShape(x.shape)} (..., C)`,
    )
  }
  return scope(() => max(reshape(x, [...x.shape.slice(0, -1), channels / pieces, pieces]), { axis: -1 }))
}
