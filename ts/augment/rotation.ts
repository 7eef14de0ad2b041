// Images turned at random.

import { checkNumber, checkOptions } from '../initializers/options.js'
import type { Tensor } from '../tensor/tensor.js'
import { type Augmentation, ImageAugmentation } from './augmentation.js'
import type { Draws } from './draws.js'
import { checkFill, type Fill, fillFor } from './images.js'
import { between, checkRange, type Range } from './options.js'
import { type Placement, warpImages } from './warp-images.js'

export interface RotationOptions {
  /** The angle in degrees, counter-clockwise, from `[min, max]`; a number stands for `[-degrees, degrees]`. */
  degrees: number | Range
  /** What stands in the corners: one number, or one for each channel. Default 0. */
  fill?: Fill
}

/** @internal */
export class Rotation extends ImageAugmentation {
  static readonly options = ['degrees', 'fill'] as const
  private readonly degrees: Range
  private readonly fill: Fill

  constructor(op: string, options: RotationOptions) {
    super(op)
    const { degrees, fill = 0 } = options
    this.degrees = Array.isArray(degrees) ? checkRange(op, 'degrees', degrees) : around(op, degrees)
    this.fill = checkFill(op, fill)
  }

  override $change(x: Tensor, draws: Draws, op: string): Tensor {
    const [, height, width] = x.shape as [number, number, number]
    const turns = draws.map((random) => turned(between(random, this.degrees), height, width))
    return warpImages(op, x, [height, width], turns, fillFor(op, this.fill, x))
  }
}

function around(op: string, degrees: unknown): Range {
  const most = checkNumber(op, 'degrees', degrees, 0, true)
  return [-most, most]
}

/** The image turned about its centre. */
function turned(degrees: number, height: number, width: number): Placement {
  const [sin, cos] = sinCos(degrees)
  const [x, y] = [width / 2, height / 2]
  return { map: [cos, -sin, x - cos * x + sin * y, sin, cos, y - sin * x - cos * y] }
}

/** Exact at right angles, so that there no pixel changes. */
function sinCos(degrees: number): [number, number] {
  const quarters = Math.round(degrees / 90)
  const rest = ((degrees - 90 * quarters) / 180) * Math.PI
  const [sin, cos] = [Math.sin(rest), Math.cos(rest)]
  switch (((quarters % 4) + 4) % 4) {
    case 0:
      return [sin, cos]
    case 1:
      return [cos, -sin]
    case 2:
      return [-sin, -cos]
    default:
      return [-cos, sin]
  }
}

/**
 * Turns each image about its centre by a random angle, every angle of the range as likely as another.
 *
 * Bilinear, a pixel being a point at its centre. Images `[N, H, W, C]`, uint8 (rounded to the nearest), float32 or
 * float64; shape and dtype stay.
 *
 * @example
 * ```ts
 * import { augment, tensor } from 'ferrograd'
 * const xs = tensor([1, 2, 3, 4], { shape: [1, 2, 2, 1] })
 * const quarter = augment.rotation({ degrees: [90, 90] })
 * console.log(await quarter.apply({ xs }).xs.data()) // Float32Array(4) [ 2, 4, 1, 3 ]
 * ```
 */
export function rotation(options: RotationOptions): Augmentation {
  checkOptions('augment.rotation', options, Rotation.options)
  return new Rotation('augment.rotation', options)
}
