// Windows cut out of images at random places.

import { ShapeError, typeError } from '../errors.js'
import { checkOptions, checkSides, type Sides } from '../initializers/options.js'
import { checkSize, type Size } from '../ops/window.js'
import { showShape } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { type Augmentation, ImageAugmentation } from './augmentation.js'
import { cropImages, type Window } from './crop-images.js'
import type { Draws } from './draws.js'
import { checkFill, type Fill, fillFor } from './images.js'
import { upTo } from './options.js'

export interface RandomCropOptions {
  /** Of the window, `[height, width]` or one number for both. Default: that of the images. */
  size?: Size
  /** How far around the image the window may stand: on every side, `[height, width]` or `[[top, bottom], [left, right]]`. Default 0. */
  padding?: number | readonly [number, number] | Sides
  /** What stands in the padding: one number, or one for each channel. Default 0. */
  fill?: Fill
}

/** @internal */
export class RandomCrop extends ImageAugmentation {
  static readonly options = ['size', 'padding', 'fill'] as const
  readonly size: readonly [number, number] | undefined
  private readonly sides: Sides
  private readonly fill: Fill

  constructor(op: string, options: RandomCropOptions) {
    super(op)
    const { size, padding, fill = 0 } = options
    if (size === undefined && padding === undefined) {
      throw typeError(`${op}: needs size, padding or both. without them every window is the whole image`)
    }
    this.size = size === undefined ? undefined : checkSize(op, 'size', size)
    this.sides = checkSides(op, padding ?? 0)
    this.fill = checkFill(op, fill)
  }

  /** How far the window can move; throws when it does not fit. Null where the image's size is not known. */
  $room(op: string, input: readonly (number | null)[], images: string): readonly [number | null, number | null] {
    const padded = this.sides.map(([before, after], axis) => {
      const size = input[axis]
      return size === null || size === undefined ? null : before + size + after
    })
    const room = padded.map((all, axis) => (all === null ? null : all - (this.size?.[axis] ?? input[axis]!)))
    if (room.some((one) => one !== null && one < 0)) {
      const all = `[${padded.map(String).join(', ')}]`
      throw new ShapeError(
        `${op}: a window of ${showShape(this.size!)} does not fit in ${all}, the image with its padding. ${images}. use a smaller size or more padding`,
      )
    }
    return [room[0]!, room[1]!]
  }

  override $change(x: Tensor, draws: Draws, op: string): Tensor {
    return this.cut(x, op, (room) => {
      const [[top], [left]] = this.sides
      return draws.map((random) => ({
        top: upTo(random, room[0]) - top,
        left: upTo(random, room[1]) - left,
        flipRows: false,
        flipColumns: false,
      }))
    })
  }

  /** The window in the middle of the padded image. */
  override $rest(x: Tensor, op: string): Tensor {
    const [, height, width] = x.shape
    if ((this.size?.[0] ?? height) === height && (this.size?.[1] ?? width) === width) return x
    return this.cut(x, op, (room) => {
      const [[top], [left]] = this.sides
      const middle = { top: Math.floor(room[0] / 2) - top, left: Math.floor(room[1] / 2) - left }
      return Array.from({ length: x.shape[0]! }, () => ({ ...middle, flipRows: false, flipColumns: false }))
    })
  }

  private cut(x: Tensor, op: string, windows: (room: readonly [number, number]) => Window[]): Tensor {
    const [, height, width] = x.shape as [number, number, number]
    const room = this.$room(op, [height, width], `images ${showShape(x.shape)} (N, H, W, C)`)
    const size = this.size ?? [height, width]
    return cropImages(op, x, size, windows(room as [number, number]), fillFor(op, this.fill, x))
  }
}

/**
 * Cuts a window out of each image at a random place, every place as likely as another: with `padding: 4` and no size, the
 * recipe for CIFAR-10, the image is moved by up to four pixels.
 *
 * Images `[N, H, W, C] -> [N, size[0], size[1], C]`, uint8, float32 or float64; the dtype stays, and every number is
 * moved as it is.
 *
 * Throws a `ShapeError` when the window is larger than the image with its padding.
 *
 * Source: Krizhevsky, Sutskever and Hinton 2012.
 *
 * @example
 * ```ts
 * import { augment, ones } from 'ferrograd'
 * const crop = augment.randomCrop({ size: 24, padding: 2 })
 * console.log(crop.apply({ xs: ones([8, 28, 28, 1]) }).xs.shape) // [ 8, 24, 24, 1 ]
 * ```
 */
export function randomCrop(options: RandomCropOptions): Augmentation {
  checkOptions('augment.randomCrop', options, RandomCrop.options)
  return new RandomCrop('augment.randomCrop', options)
}
