// Rectangles of images painted over while training.

import { RandomErasing as Erasing, type RandomErasingOptions as ErasingOptions } from '../augment/random-erasing.js'
import { AugmentationLayer, type AugmentationLayerOptions } from './augmentation-layer.js'

export interface RandomErasingOptions extends AugmentationLayerOptions, ErasingOptions {}

export class RandomErasing extends AugmentationLayer {
  /** @internal */
  protected override readonly augmentation: Erasing

  constructor(options: RandomErasingOptions = {}) {
    super('randomErasing', options, Erasing.options)
    this.augmentation = new Erasing(this.$label, options)
  }

  override get kind(): string {
    return 'randomErasing'
  }
}

/**
 * While training, paints over a rectangle of random size and shape in each image `[N, H, W, C]`, with a probability;
 * otherwise changes nothing. Keeps the shape; the gradient passes elsewhere. Source: Zhong et al. 2020.
 */
export function randomErasing(options: RandomErasingOptions = {}): RandomErasing {
  return new RandomErasing(options)
}
