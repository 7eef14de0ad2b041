// Images mirrored while training.

import { Flip } from '../augment/flip.js'
import { checkChoice } from '../initializers/options.js'
import { AugmentationLayer, type AugmentationLayerOptions } from './augmentation-layer.js'

const modes = ['horizontal', 'vertical', 'horizontalAndVertical'] as const

export interface RandomFlipOptions extends AugmentationLayerOptions {
  /** Along which axes. Default 'horizontalAndVertical', as in Keras; photographs of things mostly want 'horizontal'. */
  mode?: (typeof modes)[number]
}

export class RandomFlip extends AugmentationLayer {
  /** @internal */
  protected override readonly augmentation: Flip

  constructor(options: RandomFlipOptions = {}) {
    super('randomFlip', options, ['mode'])
    const mode = checkChoice(this.$label, 'mode', options.mode ?? 'horizontalAndVertical', modes)
    this.augmentation = new Flip(this.$label, {
      columns: mode === 'vertical' ? 0 : 0.5,
      rows: mode === 'horizontal' ? 0 : 0.5,
    })
  }

  override get kind(): string {
    return 'randomFlip'
  }
}

/**
 * While training, mirrors each image `[N, H, W, C]` along each axis of `mode` with probability 1/2; otherwise changes
 * nothing. Keeps the shape; the gradient passes.
 */
export function randomFlip(options: RandomFlipOptions = {}): RandomFlip {
  return new RandomFlip(options)
}
