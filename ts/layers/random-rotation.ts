// Images turned while training.

import { Rotation, type RotationOptions } from '../augment/rotation.js'
import { AugmentationLayer, type AugmentationLayerOptions } from './augmentation-layer.js'

export interface RandomRotationOptions extends AugmentationLayerOptions, RotationOptions {}

export class RandomRotation extends AugmentationLayer {
  /** @internal */
  protected override readonly augmentation: Rotation

  constructor(options: RandomRotationOptions) {
    super('randomRotation', options, Rotation.options)
    this.augmentation = new Rotation(this.$label, options)
  }

  override get kind(): string {
    return 'randomRotation'
  }
}

/**
 * While training, turns each image `[N, H, W, C]` about its centre by a random angle of `degrees`; otherwise changes
 * nothing. Bilinear, `fill` in the corners. Keeps the shape; the gradient passes.
 */
export function randomRotation(options: RandomRotationOptions): RandomRotation {
  return new RandomRotation(options)
}
