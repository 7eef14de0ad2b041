// Shapes as layers see them before any data: the batch, and sometimes more, is still free.

import { rangeError, ShapeError, show, typeError } from '../errors.js'

/** Sizes by axis, batch first; null stands for one that is free. */
export type Shape = readonly (number | null)[]

/** @internal `[null, 28, 28, 1]` */
export function showFree(shape: Shape): string {
  return `[${shape.map((size) => String(size)).join(', ')}]`
}

/** @internal Whether `inner` is one shape rather than a list of them. */
export function isShape(shape: Shape | readonly Shape[]): shape is Shape {
  return !Array.isArray(shape[0])
}

/** @internal Whether a tensor of shape `actual` can be where `declared` is expected; null fits everything. */
export function fitsShape(actual: Shape, declared: Shape): boolean {
  if (actual.length !== declared.length) return false
  for (let axis = 0; axis < actual.length; axis++) {
    if (actual[axis] !== declared[axis] && actual[axis] !== null && declared[axis] !== null) return false
  }
  return true
}

/** @internal A copy of the shape of one example, checked, with a free batch in front. */
export function checkExampleShape(op: string, option: string, value: unknown): Shape {
  if (!Array.isArray(value)) {
    throw typeError(
      `${op}: ${option} must be an array of sizes without the batch, such as [28, 28, 1]. got ${show(value)}`,
    )
  }
  for (const size of value) {
    if (size !== null && (!Number.isInteger(size) || size < 0 || size >= 2 ** 31)) {
      throw rangeError(
        `${op}: every size of ${option} is a whole number from 0, or null where it is free. got ${show(value)}`,
      )
    }
  }
  return [null, ...value]
}

/** @internal The elements of one example, if no size but the batch is free. */
export function exampleSize(shape: Shape): number | undefined {
  let size = 1
  for (const dimension of shape.slice(1)) {
    if (dimension === null) return undefined
    size *= dimension
  }
  return size
}

const layouts: Record<number, string> = { 2: ' (N, features)', 4: ' (N, H, W, C)' }

/** @internal A shape with the meaning of its axes, for images and features. */
export function showLayout(shape: Shape): string {
  return `${showFree(shape)}${layouts[shape.length] ?? ''}`
}

/** @internal Throws unless `shape` has `rank` axes. */
export function checkRank(label: string, shape: Shape | readonly Shape[], rank: number, way: string): Shape {
  const single = checkSingle(label, shape)
  if (single.length !== rank) {
    throw new ShapeError(
      `${label}: the input must have ${rank} axes${layouts[rank] ?? ''}. got ${showFree(single)}. ${way}`,
    )
  }
  return single
}

/** @internal Throws when a layer with one input was given several. */
export function checkSingle(label: string, shape: Shape | readonly Shape[]): Shape {
  if (isShape(shape)) return shape
  if (shape.length === 1) return shape[0]!
  throw new ShapeError(`${label}: takes one input. got ${shape.length}. join them first with add or concatenate`)
}

/** @internal The size of an axis that weights depend on, and that therefore must be known. */
export function knownSize(label: string, shape: Shape, axis: number): number {
  const size = shape.at(axis)
  if (typeof size !== 'number') {
    throw new ShapeError(
      `${label}: the size of axis ${axis < 0 ? shape.length + axis : axis} must be known, because weights depend on it. input ${showFree(shape)}`,
    )
  }
  return size
}
