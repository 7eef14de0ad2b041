// Squares blanked out at random places.

import { checkOptions } from '../initializers/options.js'
import { checkSize, type Size } from '../ops/window.js'
import type { Tensor } from '../tensor/tensor.js'
import { type Augmentation, ImageAugmentation } from './augmentation.js'
import type { Draws } from './draws.js'
import { type Box, eraseBoxes } from './erase-boxes.js'
import { checkFill, type Fill, fillFor } from './images.js'
import { checkProbability, upTo } from './options.js'

export interface CutoutOptions {
  /** Of what is blanked out, `[height, width]` or one number for both. */
  size: Size
  /** How often something is, from 0 to 1. Default 1. */
  probability?: number
  /** What stands there: one number, or one for each channel. Default 0. */
  fill?: Fill
}

/** @internal */
export class Cutout extends ImageAugmentation {
  static readonly options = ['size', 'probability', 'fill'] as const
  private readonly size: readonly [number, number]
  private readonly probability: number
  private readonly fill: Fill

  constructor(op: string, options: CutoutOptions) {
    super(op)
    const { size, probability = 1, fill = 0 } = options
    this.size = checkSize(op, 'size', size)
    this.probability = checkProbability(op, probability)
    this.fill = checkFill(op, fill)
  }

  override $change(x: Tensor, draws: Draws, op: string): Tensor {
    const [, height, width] = x.shape as [number, number, number]
    const boxes = draws.map((random): Box => {
      if (random.next() >= this.probability) return [0, 0, 0, 0]
      const top = upTo(random, height - 1) - Math.floor(this.size[0] / 2)
      const left = upTo(random, width - 1) - Math.floor(this.size[1] / 2)
      return [top, left, top + this.size[0], left + this.size[1]]
    })
    return eraseBoxes(op, x, boxes, fillFor(op, this.fill, x))
  }
}

/**
 * Blanks out a rectangle of fixed size around a random pixel of each image, every pixel as likely as another; what stands
 * out beyond the border is lost, as in the paper.
 *
 * Images `[N, H, W, C]`, uint8, float32 or float64; shape and dtype stay.
 *
 * Source: DeVries and Taylor 2017.
 *
 * @example
 * ```ts
 * import { augment, ones, sum } from 'ferrograd'
 * const cutout = augment.cutout({ size: 1 })
 * console.log(await sum(cutout.apply({ xs: ones([1, 8, 8, 1]) }).xs).item()) // 63
 * ```
 */
export function cutout(options: CutoutOptions): Augmentation {
  checkOptions('augment.cutout', options, Cutout.options)
  return new Cutout('augment.cutout', options)
}
