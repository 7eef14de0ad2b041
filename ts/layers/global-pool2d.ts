// Pooling over whole images.

import { checkOptions } from '../initializers/options.js'
import { globalMaxPool2d as maximum, globalAvgPool2d as mean } from '../ops/index.js'
import type { Tensor } from '../tensor/tensor.js'
import { Layer, type LayerOptions } from './layer.js'
import { checkRank, exampleSize, type Shape } from './shape.js'

export abstract class GlobalPoolLayer extends Layer {
  override build(inputShape: Shape | readonly Shape[]): void {
    this.outputShape(inputShape)
  }

  override outputShape(inputShape: Shape | readonly Shape[]): Shape {
    const shape = checkRank(this.$label, inputShape, 4, 'pooling is for images')
    return [shape[0]!, shape[3]!]
  }

  override flops(inputShape: Shape): number | undefined {
    return exampleSize(inputShape)
  }
}

export class GlobalAvgPool2d extends GlobalPoolLayer {
  constructor(options: LayerOptions = {}) {
    checkOptions('globalAvgPool2d', options, ['name', 'trainable', 'inputShape'])
    super(options)
  }

  override get kind(): string {
    return 'globalAvgPool2d'
  }

  override forward(x: Tensor): Tensor {
    return mean(x)
  }
}

export class GlobalMaxPool2d extends GlobalPoolLayer {
  constructor(options: LayerOptions = {}) {
    checkOptions('globalMaxPool2d', options, ['name', 'trainable', 'inputShape'])
    super(options)
  }

  override get kind(): string {
    return 'globalMaxPool2d'
  }

  override forward(x: Tensor): Tensor {
    return maximum(x)
  }
}

/** The mean of each channel over the whole image: `[N, H, W, C] -> [N, C]`. Source: Lin, Chen and Yan 2014. */
export function globalAvgPool2d(options: LayerOptions = {}): GlobalAvgPool2d {
  return new GlobalAvgPool2d(options)
}

/** The largest number of each channel over the whole image: `[N, H, W, C] -> [N, C]`. */
export function globalMaxPool2d(options: LayerOptions = {}): GlobalMaxPool2d {
  return new GlobalMaxPool2d(options)
}
