// Borders of zeros around images.

import { checkOptions, checkSides, type Sides } from '../initializers/options.js'
import { pad } from '../ops/index.js'
import type { Tensor } from '../tensor/tensor.js'
import { Layer, type LayerOptions } from './layer.js'
import { checkRank, type Shape } from './shape.js'

export interface ZeroPadding2dOptions extends LayerOptions {
  /** On every side, or `[height, width]`, or `[[top, bottom], [left, right]]`. Default 1. */
  padding?: number | readonly [number, number] | Sides
}

export class ZeroPadding2d extends Layer {
  readonly padding: Sides

  constructor(options: ZeroPadding2dOptions = {}) {
    checkOptions('zeroPadding2d', options, ['name', 'trainable', 'inputShape', 'padding'])
    super(options)
    this.padding = checkSides(this.$label, options.padding ?? 1)
  }

  override get kind(): string {
    return 'zeroPadding2d'
  }

  override build(inputShape: Shape | readonly Shape[]): void {
    this.outputShape(inputShape)
  }

  override forward(x: Tensor): Tensor {
    return pad(x, { padding: [[0, 0], ...this.padding, [0, 0]] })
  }

  override outputShape(inputShape: Shape | readonly Shape[]): Shape {
    const shape = checkRank(this.$label, inputShape, 4, 'it is for images')
    return shape.map((size, axis) => {
      if (size === null || axis === 0 || axis === 3) return size
      const [before, after] = this.padding[axis - 1]!
      return size + before + after
    })
  }

  override flops(): number {
    return 0
  }
}

/** Adds rows and columns of zeros: `[N, H, W, C] -> [N, top + H + bottom, left + W + right, C]`. */
export function zeroPadding2d(options: ZeroPadding2dOptions = {}): ZeroPadding2d {
  return new ZeroPadding2d(options)
}
