// Larger images with the same pixels.

import { checkOptions } from '../initializers/options.js'
import { mul, reshape } from '../ops/index.js'
import { checkSize, type Size } from '../ops/window.js'
import { ones } from '../tensor/create.js'
import type { Tensor } from '../tensor/tensor.js'
import { Layer, type LayerOptions } from './layer.js'
import { checkRank, type Shape } from './shape.js'

export interface UpSampling2dOptions extends LayerOptions {
  /** How often each row and column is repeated, for both axes or `[height, width]`. Default 2. */
  size?: Size
}

export class UpSampling2d extends Layer {
  readonly size: readonly [number, number]

  constructor(options: UpSampling2dOptions = {}) {
    checkOptions('upSampling2d', options, ['name', 'trainable', 'inputShape', 'size'])
    super(options)
    this.size = checkSize(this.$label, 'size', options.size ?? 2)
  }

  override get kind(): string {
    return 'upSampling2d'
  }

  override build(inputShape: Shape | readonly Shape[]): void {
    this.outputShape(inputShape)
  }

  override forward(x: Tensor): Tensor {
    const [batch, height, width, channels] = x.shape as readonly [number, number, number, number]
    const [down, right] = this.size
    const each = reshape(x, [batch, height, 1, width, 1, channels])
    const repeated = mul(each, ones([1, 1, down, 1, right, 1], { dtype: x.dtype }))
    return reshape(repeated, [batch, height * down, width * right, channels])
  }

  override outputShape(inputShape: Shape | readonly Shape[]): Shape {
    const [batch, height, width, channels] = checkRank(this.$label, inputShape, 4, 'it is for images') as readonly [
      null,
      number | null,
      number | null,
      number | null,
    ]
    const [down, right] = this.size
    return [batch, height === null ? null : height * down, width === null ? null : width * right, channels]
  }

  override flops(): number {
    return 0
  }
}

/**
 * Repeats each row and column: `[N, H, W, C] -> [N, H · size, W · size, C]`, every pixel becoming a block of its own
 * value.
 */
export function upSampling2d(options: UpSampling2dOptions = {}): UpSampling2d {
  return new UpSampling2d(options)
}
