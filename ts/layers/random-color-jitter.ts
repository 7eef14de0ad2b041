// Colors changed while training.

import { ColorJitter, type ColorJitterOptions } from '../augment/color-jitter.js'
import { AugmentationLayer, type AugmentationLayerOptions } from './augmentation-layer.js'
import { checkRank, type Shape, showLayout } from './shape.js'

export interface RandomColorJitterOptions extends AugmentationLayerOptions, ColorJitterOptions {}

export class RandomColorJitter extends AugmentationLayer {
  /** @internal */
  protected override readonly augmentation: ColorJitter

  constructor(options: RandomColorJitterOptions) {
    super('randomColorJitter', options, ColorJitter.options)
    this.augmentation = new ColorJitter(this.$label, options)
  }

  override get kind(): string {
    return 'randomColorJitter'
  }

  override build(inputShape: Shape | readonly Shape[]): void {
    const shape = checkRank(this.$label, inputShape, 4, 'it is for images')
    const channels = shape[3]
    if (typeof channels === 'number') {
      this.augmentation.$checkChannels(this.$label, channels, `input ${showLayout(shape)}`)
    }
  }
}

/**
 * While training, changes brightness, contrast, saturation and hue of each image `[N, H, W, C]` with values from 0 to 1;
 * otherwise changes nothing. Keeps the shape. Has no gradient: it belongs before the layers that learn, and throws a
 * `GradientError` behind them. Options as `augment.colorJitter`.
 */
export function randomColorJitter(options: RandomColorJitterOptions): RandomColorJitter {
  return new RandomColorJitter(options)
}
