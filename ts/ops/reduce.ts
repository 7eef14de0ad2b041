// The frame of ops that reduce axes.

import { ShapeError, show, typeError } from '../errors.js'
import { checkAxis, showShape } from '../tensor/shape.js'

export interface ReduceOptions {
  /** The axes that go: one, several, or all when left out. Negative axes count from the last. */
  axis?: number | readonly number[] | undefined
  /** Keep them with size 1. Default false. */
  keepDims?: boolean | undefined
}

/** @internal What a reduction makes of a shape, and the words that tell the native side. */
export interface Reduction {
  readonly shape: readonly number[]
  readonly words: Float64Array
  /** Elements that make one result. */
  readonly count: number
}

/** @internal */
export function reduction(op: string, shape: readonly number[], options: ReduceOptions): Reduction {
  if (typeof options !== 'object' || options === null)
    throw typeError(`${op}: options must be an object. got ${show(options)}`)
  const { axis, keepDims = false } = options
  if (typeof keepDims !== 'boolean') throw typeError(`${op}: keepDims must be a boolean. got ${show(keepDims)}`)
  const rank = shape.length
  const words = new Float64Array(2 * rank)
  if (axis === undefined) words.fill(1, rank)
  else {
    for (const one of Array.isArray(axis) ? axis : [axis]) {
      const at = rank + checkAxis(op, one, rank)
      if (words[at] === 1)
        throw new ShapeError(`${op}: axis ${at - rank} is named twice. axis ${show(axis)}, input ${showShape(shape)}`)
      words[at] = 1
    }
  }
  const result: number[] = []
  let count = 1
  for (let i = 0; i < rank; i++) {
    words[i] = shape[i]!
    if (words[rank + i] === 0) result.push(shape[i]!)
    else {
      count *= shape[i]!
      if (keepDims) result.push(1)
    }
  }
  return { shape: result, words, count }
}

/** @internal Throws when there is nothing to choose the largest or smallest from. */
export function checkSome(op: string, shape: readonly number[], { count, shape: result }: Reduction): void {
  if (count === 0 && !result.includes(0)) {
    throw new ShapeError(
      `${op}: there is nothing to choose from: the reduced axes of input ${showShape(shape)} have no elements`,
    )
  }
}
