// Squares of images blanked out while training.

import { Cutout as Box, type CutoutOptions as BoxOptions } from '../augment/cutout.js'
import { AugmentationLayer, type AugmentationLayerOptions } from './augmentation-layer.js'

export interface CutoutOptions extends AugmentationLayerOptions, BoxOptions {}

export class Cutout extends AugmentationLayer {
  /** @internal */
  protected override readonly augmentation: Box

  constructor(options: CutoutOptions) {
    super('cutout', options, Box.options)
    this.augmentation = new Box(this.$label, options)
  }

  override get kind(): string {
    return 'cutout'
  }
}

/**
 * While training, blanks out a rectangle of `size` around a random pixel of each image `[N, H, W, C]`; otherwise changes
 * nothing. Keeps the shape; the gradient passes elsewhere. Source: DeVries and Taylor 2017.
 */
export function cutout(options: CutoutOptions): Cutout {
  return new Cutout(options)
}
