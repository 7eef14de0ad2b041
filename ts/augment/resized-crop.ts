// Parts of images, of random size and shape, brought to one size.

import { rangeError, show } from '../errors.js'
import { checkOptions } from '../initializers/options.js'
import { checkSize, type Size } from '../ops/window.js'
import type { Random } from '../tensor/seed.js'
import type { Tensor } from '../tensor/tensor.js'
import { type Augmentation, ImageAugmentation } from './augmentation.js'
import type { Draws } from './draws.js'
import { between, betweenLogarithms, checkRange, type Range, upTo } from './options.js'
import { type Placement, warpImages } from './warp-images.js'

export interface ResizedCropOptions {
  /** Of what comes out, `[height, width]` or one number for both. Default: that of the images. */
  size?: Size
  /** The share of the image's area that is cut out, `[min, max]`. Default `[0.08, 1]`. */
  scale?: Range
  /** Width by height of what is cut out, `[min, max]`. Default `[3 / 4, 4 / 3]`. */
  ratio?: Range
}

/** @internal */
export class ResizedCrop extends ImageAugmentation {
  static readonly options = ['size', 'scale', 'ratio'] as const
  readonly size: readonly [number, number] | undefined
  private readonly scale: Range
  private readonly ratio: Range

  constructor(op: string, options: ResizedCropOptions) {
    super(op)
    const { size, scale = [0.08, 1], ratio = [3 / 4, 4 / 3] } = options
    this.size = size === undefined ? undefined : checkSize(op, 'size', size)
    this.scale = checkRange(op, 'scale', scale, 0, true)
    if (this.scale[1] > 1) throw rangeError(`${op}: scale must be shares of the area, up to 1. got ${show(scale)}`)
    this.ratio = checkRange(op, 'ratio', ratio, 0, true)
  }

  override $change(x: Tensor, draws: Draws, op: string): Tensor {
    const [, height, width] = x.shape as [number, number, number]
    const size = this.size ?? [height, width]
    const parts = draws.map((random) => this.part(random, height, width))
    return warpImages(
      op,
      x,
      size,
      parts.map((part) => stretch(part, size)),
      'nearest',
    )
  }

  /** The whole image in the size. */
  override $rest(x: Tensor, op: string): Tensor {
    const [samples, height, width] = x.shape as [number, number, number]
    const size = this.size ?? [height, width]
    if (size[0] === height && size[1] === width) return x
    const whole = stretch([0, 0, height, width], size)
    return warpImages(op, x, size, new Array(samples).fill(whole), 'nearest')
  }

  /** Top, left, bottom and right of what is cut out. */
  private part(random: Random, height: number, width: number): [number, number, number, number] {
    for (let attempt = 0; attempt < 10; attempt++) {
      const area = height * width * between(random, this.scale)
      const ratio = betweenLogarithms(random, this.ratio)
      const rows = Math.round(Math.sqrt(area / ratio))
      const columns = Math.round(Math.sqrt(area * ratio))
      if (rows < 1 || rows > height || columns < 1 || columns > width) continue
      const [top, left] = [upTo(random, height - rows), upTo(random, width - columns)]
      return [top, left, top + rows, left + columns]
    }
    // No luck, as with a long image: its middle, in the nearest shape that is allowed.
    const ratio = Math.min(Math.max(width / height, this.ratio[0]), this.ratio[1])
    const rows = Math.min(height, Math.max(1, Math.round(width / ratio)))
    const columns = Math.min(width, Math.max(1, Math.round(height * ratio)))
    const [top, left] = [Math.floor((height - rows) / 2), Math.floor((width - columns) / 2)]
    return [top, left, top + rows, left + columns]
  }
}

/** @internal The part of an image that comes out in `size`. */
export function stretch(part: readonly [number, number, number, number], size: readonly [number, number]): Placement {
  const [top, left, bottom, right] = part
  return { map: [(right - left) / size[1], 0, left, 0, (bottom - top) / size[0], top], part }
}

/**
 * Cuts out a part of each image, of random area and shape at a random place, and brings it to one size: the augmentation
 * of ImageNet. Ten parts are tried; if none fits, the middle of the image is taken.
 *
 * Bilinear, a pixel being a point at its centre (`align_corners = false`); no smoothing where the image shrinks. Images
 * `[N, H, W, C] -> [N, size[0], size[1], C]`, uint8 (rounded to the nearest), float32 or float64; the dtype stays.
 *
 * Source: Szegedy et al. 2015, "Going Deeper with Convolutions".
 *
 * @example
 * ```ts
 * import { augment, ones } from 'ferrograd'
 * const crop = augment.resizedCrop({ size: 32, scale: [0.5, 1] })
 * console.log(crop.apply({ xs: ones([8, 48, 64, 3]) }).xs.shape) // [ 8, 32, 32, 3 ]
 * ```
 */
export function resizedCrop(options: ResizedCropOptions = {}): Augmentation {
  checkOptions('augment.resizedCrop', options, ResizedCrop.options)
  return new ResizedCrop('augment.resizedCrop', options)
}
