// Shapes: counting, checking, printing.

import { rangeError, ShapeError, show, typeError } from '../errors.js'

/** More elements than this in one tensor is a mistake, not a wish. */
const MOST_ELEMENTS = 2 ** 40

/** @internal The number of elements of a shape that is known to be valid. */
export function sizeOf(shape: readonly number[]): number {
  let size = 1
  for (let i = 0; i < shape.length; i++) size *= shape[i]!
  return size
}

/** @internal A copy of `shape`, checked: whole numbers from 0, and not absurdly many elements. */
export function checkShape(op: string, shape: unknown): readonly number[] {
  if (!Array.isArray(shape)) throw typeError(`${op}: shape must be an array of whole numbers. got ${show(shape)}`)
  let size = 1
  for (const dimension of shape) {
    if (typeof dimension !== 'number' || !Number.isInteger(dimension) || dimension < 0) {
      throw rangeError(`${op}: every dimension of a shape is a whole number from 0. got ${show(shape)}`)
    }
    size *= Math.max(dimension, 1)
  }
  if (size > MOST_ELEMENTS) {
    throw rangeError(`${op}: a tensor holds at most 2^40 elements. got shape ${show(shape)}`)
  }
  return [...shape]
}

/** @internal */
export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** @internal `[2, 3]` */
export function showShape(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`
}

/** @internal An axis from -rank to rank - 1 as one from 0 to rank - 1. */
export function checkAxis(op: string, axis: unknown, rank: number): number {
  if (typeof axis !== 'number' || !Number.isInteger(axis)) {
    throw rangeError(`${op}: axis must be a whole number. got ${show(axis)}`)
  }
  if (axis < -rank || axis >= rank) {
    throw new ShapeError(
      rank === 0
        ? `${op}: axis ${axis} does not exist: the input has no axes.`
        : `${op}: axis ${axis} does not exist. the input has ${rank} ${rank === 1 ? 'axis' : 'axes'}: use ${-rank} to ${rank - 1}`,
    )
  }
  return axis < 0 ? axis + rank : axis
}
