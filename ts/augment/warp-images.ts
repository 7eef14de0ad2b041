// Images turned and stretched.

import { record } from '../autograd/record.js'
import { native } from '../native/index.js'
import { empty, type Tensor } from '../tensor/tensor.js'
import { checkImages, sizeWords } from './images.js'

/**
 * Where the pixels of one sample are read. Positions are in pixels from the upper left corner, pixel centres
 * at halves: the output's (x, y) is read at (a·x + b·y + c, d·x + e·y + f) of the input.
 */
export interface Placement {
  /** `[a, b, c, d, e, f]` */
  readonly map: readonly [number, number, number, number, number, number]
  /** What of the image may be read: top, left, and the row and column after the last. Default all. */
  readonly part?: readonly [number, number, number, number]
}

/**
 * Images of `size`, read with bilinear interpolation. Beyond the image stands its nearest pixel or the color
 * `fill`. Its gradient gives each pixel its share.
 */
export function warpImages(
  op: string,
  x: Tensor,
  size: readonly [number, number],
  placements: readonly Placement[],
  fill: Float64Array | 'nearest',
): Tensor {
  const images = checkImages(op, 'x', x)
  const { samples, height, width, channels } = images
  const sizes = sizeWords(images, size)
  const all = [0, 0, height, width] as const
  const words = Float64Array.from(placements.flatMap(({ map, part = all }) => [...map, ...part]))
  const nearest = fill === 'nearest'
  const y = empty([samples, ...size, channels], x.dtype)
  native.warpImages(x.handle, y.handle, sizes, words, nearest, nearest ? new Float64Array(channels) : fill)
  const { shape } = x
  return record(op, y, [x], [], (dy) => {
    const dx = empty(shape, dy.dtype)
    native.warpImagesBackward(dy.handle, dx.handle, sizes, words, nearest)
    return [dx]
  })
}
