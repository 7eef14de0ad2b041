// Parts of images brought to one size while training.

import { ResizedCrop, type ResizedCropOptions } from '../augment/resized-crop.js'
import { AugmentationLayer, type AugmentationLayerOptions, resized } from './augmentation-layer.js'
import type { Shape } from './shape.js'

export interface RandomResizedCropOptions extends AugmentationLayerOptions, ResizedCropOptions {}

export class RandomResizedCrop extends AugmentationLayer {
  /** @internal */
  protected override readonly augmentation: ResizedCrop

  constructor(options: RandomResizedCropOptions = {}) {
    super('randomResizedCrop', options, ResizedCrop.options)
    this.augmentation = new ResizedCrop(this.$label, options)
  }

  override get kind(): string {
    return 'randomResizedCrop'
  }

  override outputShape(inputShape: Shape | readonly Shape[]): Shape {
    return resized(this.$label, inputShape, this.augmentation.size)
  }
}

/**
 * While training, brings a random part of each image to `size` (default: the image's); otherwise the whole image, which
 * without a size stays as it is. Bilinear. `[N, H, W, C] -> [N, size[0], size[1], C]`; the gradient passes. Options and
 * source as `augment.resizedCrop`.
 */
export function randomResizedCrop(options: RandomResizedCropOptions = {}): RandomResizedCrop {
  return new RandomResizedCrop(options)
}
