// Rectangles of random size and shape, painted over.

import { rangeError, show } from '../errors.js'
import { checkOptions } from '../initializers/options.js'
import type { Random } from '../tensor/seed.js'
import type { Tensor } from '../tensor/tensor.js'
import { type Augmentation, ImageAugmentation } from './augmentation.js'
import type { Draws } from './draws.js'
import { type Box, eraseBoxes } from './erase-boxes.js'
import { checkFill, type Fill, fillFor } from './images.js'
import { between, betweenLogarithms, checkProbability, checkRange, type Range, upTo } from './options.js'

export interface RandomErasingOptions {
  /** How often something is painted over, from 0 to 1. Default 0.5. */
  probability?: number
  /** The share of the image's area, `[min, max]`. Default `[0.02, 0.33]`. */
  scale?: Range
  /** Height by width of the rectangle, `[min, max]`. Default `[0.3, 1 / 0.3]`. */
  ratio?: Range
  /** What stands there: one number, or one for each channel. Default 0. */
  fill?: Fill
}

/** @internal */
export class RandomErasing extends ImageAugmentation {
  static readonly options = ['probability', 'scale', 'ratio', 'fill'] as const
  private readonly probability: number
  private readonly scale: Range
  private readonly ratio: Range
  private readonly fill: Fill

  constructor(op: string, options: RandomErasingOptions) {
    super(op)
    const { probability = 0.5, scale = [0.02, 0.33], ratio = [0.3, 1 / 0.3], fill = 0 } = options
    this.probability = checkProbability(op, probability)
    this.scale = checkRange(op, 'scale', scale, 0, true)
    if (this.scale[1] > 1) throw rangeError(`${op}: scale must be shares of the area, up to 1. got ${show(scale)}`)
    this.ratio = checkRange(op, 'ratio', ratio, 0, true)
    this.fill = checkFill(op, fill)
  }

  override $change(x: Tensor, draws: Draws, op: string): Tensor {
    const [, height, width] = x.shape as [number, number, number]
    const boxes = draws.map((random) => this.box(random, height, width))
    return eraseBoxes(op, x, boxes, fillFor(op, this.fill, x))
  }

  private box(random: Random, height: number, width: number): Box {
    if (random.next() >= this.probability) return [0, 0, 0, 0]
    for (let attempt = 0; attempt < 10; attempt++) {
      const area = height * width * between(random, this.scale)
      const ratio = betweenLogarithms(random, this.ratio)
      const rows = Math.round(Math.sqrt(area * ratio))
      const columns = Math.round(Math.sqrt(area / ratio))
      if (rows > height || columns > width) continue
      const [top, left] = [upTo(random, height - rows), upTo(random, width - columns)]
      return [top, left, top + rows, left + columns]
    }
    return [0, 0, 0, 0]
  }
}

/**
 * Paints over a rectangle of random area and shape, wholly within the image, with a probability. Ten rectangles are
 * tried; if none fits, the image stays as it is.
 *
 * Images `[N, H, W, C]`, uint8, float32 or float64; shape and dtype stay.
 *
 * Source: Zhong et al. 2020.
 *
 * @example
 * ```ts
 * import { augment, ones, sum } from 'ferrograd'
 * const erasing = augment.randomErasing({ probability: 1, scale: [0.25, 0.25], ratio: [1, 1] })
 * console.log(await sum(erasing.apply({ xs: ones([1, 8, 8, 1]) }).xs).item()) // 48
 * ```
 */
export function randomErasing(options: RandomErasingOptions = {}): Augmentation {
  checkOptions('augment.randomErasing', options, RandomErasing.options)
  return new RandomErasing('augment.randomErasing', options)
}
