// Many small images as one.

import { noGrad } from '../autograd/record.js'
import { rangeError, ShapeError, show } from '../errors.js'
import { checkCount, checkOptions } from '../initializers/options.js'
import * as ops from '../ops/index.js'
import { tensor } from '../tensor/create.js'
import { isFloat } from '../tensor/dtype.js'
import { scope } from '../tensor/scope.js'
import { showShape } from '../tensor/shape.js'
import { checkTensor, type Tensor } from '../tensor/tensor.js'

export interface ImageGridOptions {
  /** Tiles in a row. Default: as many as make the grid about square, ⌈√N⌉. */
  columns?: number
  /** Black pixels between tiles. Default 1. */
  padding?: number
  /**
   * What becomes black and white: the least and the largest value of each image (`'tile'`), those of all images together
   * (`'all'`), or two numbers beyond which values are cut. Default `'tile'`.
   */
  range?: 'tile' | 'all' | readonly [black: number, white: number]
}

/**
 * `images` `[N, H, W, C]` side by side, row by row, as one picture `[H', W', C]` of uint8, to be looked at or stored:
 * `H' = rows · (H + padding) − padding`, and so for the width. A value v becomes 255 · (v − black) / (white − black),
 * rounded. Black are the places of the last row that no image takes, an image that is all one value, and NaN with all
 * that it leaves without a range.
 *
 * For the filters of a convolution, `[kH, kW, C, N]`, put the filters first: `imageGrid(transpose(kernel, [3, 0, 1, 2]))`.
 *
 * Throws a {@link ShapeError} unless there are four axes and 1 to 4 channels, which is what a picture can have.
 *
 * @example
 * ```ts
 * import { imageGrid, tensor } from 'ferrograd'
 * const images = tensor([-1, 1, 2, 6], { shape: [2, 1, 2, 1] })
 * console.log(await imageGrid(images).data()) // Uint8Array(5) [ 0, 255, 0, 0, 255 ]
 * console.log(await imageGrid(images, { range: 'all', padding: 0 }).data()) // Uint8Array(4) [ 0, 73, 109, 255 ]
 * ```
 */
export function imageGrid(images: Tensor, options: ImageGridOptions = {}): Tensor {
  checkImages(images)
  checkOptions('imageGrid', options, ['columns', 'padding', 'range'])
  const count = images.shape[0]!
  const { columns = Math.ceil(Math.sqrt(count)), padding = 1, range = 'tile' } = options
  checkCount('imageGrid', 'columns', columns)
  checkCount('imageGrid', 'padding', padding, 0)
  checkRange(range)
  return scope(() => noGrad(() => arrange(toBytes(images, range), Math.min(columns, count), padding)))
}

function toBytes(images: Tensor, range: NonNullable<ImageGridOptions['range']>): Tensor {
  const x = isFloat(images.dtype) ? images : ops.cast(images, { dtype: 'float32' })
  const axes = range === 'tile' ? [1, 2, 3] : [0, 1, 2, 3]
  const [black, white] =
    typeof range === 'string'
      ? [ops.min(x, { axis: axes, keepDims: true }), ops.max(x, { axis: axes, keepDims: true })]
      : [tensor(range[0], { dtype: x.dtype }), tensor(range[1], { dtype: x.dtype })]
  // Halves keep the difference of the largest floats finite.
  const half = (value: Tensor) => ops.mul(value, tensor(0.5, { dtype: x.dtype }))
  const span = ops.maximum(ops.sub(half(white), half(black)), tensor(1e-30, { dtype: x.dtype }))
  const share = ops.clip(ops.div(ops.sub(half(x), half(black)), span), { min: 0, max: 1 })
  const scaled = ops.add(ops.mul(share, tensor(255, { dtype: x.dtype })), tensor(0.5, { dtype: x.dtype }))
  return ops.cast(scaled, { dtype: 'uint8' })
}

function arrange(tiles: Tensor, columns: number, padding: number): Tensor {
  const [count, height, width, channels] = tiles.shape as [number, number, number, number]
  const rows = Math.ceil(count / columns)
  const framed = ops.pad(tiles, {
    padding: [
      [0, rows * columns - count],
      [0, padding],
      [0, padding],
      [0, 0],
    ],
  })
  const grid = ops.transpose(
    ops.reshape(framed, [rows, columns, height + padding, width + padding, channels]),
    [0, 2, 1, 3, 4],
  )
  const whole = ops.reshape(grid, [rows * (height + padding), columns * (width + padding), channels])
  const size = [rows * (height + padding) - padding, columns * (width + padding) - padding, channels]
  return ops.slice(whole, { begin: 0, size })
}

function checkImages(images: unknown): asserts images is Tensor {
  checkTensor('imageGrid', 'images', images)
  const { shape } = images
  if (shape.length !== 4) {
    throw new ShapeError(
      `imageGrid: images must have 4 axes [N, H, W, C], but they have ${shape.length}. got ${showShape(shape)}`,
    )
  }
  if (images.size === 0) {
    throw new ShapeError(`imageGrid: there is nothing to show. got ${showShape(shape)} (N, H, W, C)`)
  }
  const channels = shape[3]!
  if (channels > 4) {
    throw new ShapeError(
      `imageGrid: a picture has 1 to 4 channels, but the images have ${channels}. got ${showShape(shape)} (N, H, W, C). show each channel as an image of its own: reshape(transpose(images, [0, 3, 1, 2]), [-1, ${shape[1]}, ${shape[2]}, 1])`,
    )
  }
}

function checkRange(range: unknown): void {
  if (range === 'tile' || range === 'all') return
  if (!Array.isArray(range) || range.length !== 2 || !range.every((end) => Number.isFinite(end))) {
    throw rangeError(`imageGrid: range must be 'tile', 'all' or [black, white]. got ${show(range)}`)
  }
  if (range[0] >= range[1]) {
    throw rangeError(`imageGrid: black must be below white. got range ${show(range)}`)
  }
}
