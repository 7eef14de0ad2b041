// Boxes painted over.

import { record } from '../autograd/record.js'
import { native } from '../native/index.js'
import { empty, type Tensor } from '../tensor/tensor.js'
import { checkImages, sizeWords } from './images.js'

/** @internal Top, left, and the row and column after the last; what lies beyond the image does not count. */
export type Box = readonly [number, number, number, number]

/** @internal `x` with the color `fill` in one box of each image. No gradient passes there. */
export function eraseBoxes(op: string, x: Tensor, boxes: readonly Box[], fill: Float64Array): Tensor {
  const sizes = sizeWords(checkImages(op, 'x', x))
  const words = Float64Array.from(boxes.flat())
  const paint = (from: Tensor, color: Float64Array): Tensor => {
    const to = empty(from.shape, from.dtype)
    native.eraseImages(from.handle, to.handle, sizes, words, color)
    return to
  }
  return record(op, paint(x, fill), [x], [], (dy) => [paint(dy, new Float64Array(fill.length))])
}
