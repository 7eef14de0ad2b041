// Preprocessing that treats every pixel, or every channel, by itself.

import { checkChoice, checkOptions } from '../initializers/options.js'
import type { Tensor } from '../tensor/tensor.js'
import { type Per, statisticsShape } from './moments.js'
import { Preprocessing, type PreprocessingConfig, type Statistics } from './preprocessing.js'
import { checkChannels, checkSamples } from './samples.js'

export interface PerOptions {
  /**
   * 'pixel': one number for each place and channel of an image, so all images have one size. 'channel': one for each
   * channel, over all places, for images of any size; of flat data every feature is a channel. Default 'pixel'.
   */
  per?: Per
}

/** What keeps the shape of the images and has numbers for each of their features. */
export abstract class PerFeature extends Preprocessing {
  readonly per: Per

  constructor(label: string, options: PerOptions) {
    super()
    checkOptions(label, options, ['per'])
    this.per = checkChoice(label, 'per', options.per ?? 'pixel', ['pixel', 'channel'])
  }

  override config(): PreprocessingConfig {
    return { per: this.per }
  }

  override $outputShape(shape: readonly number[], { mean }: Statistics): readonly number[] {
    if (this.per === 'pixel') checkSamples(this.$label, shape, mean!.shape)
    else checkChannels(this.$label, shape, mean!.size)
    return shape
  }

  override $inputShape(shape: readonly number[], statistics: Statistics): readonly number[] {
    return this.$outputShape(shape, statistics)
  }

  override $example({ mean }: Statistics): readonly number[] | undefined {
    return this.per === 'pixel' ? mean!.shape : undefined
  }

  /** The shape of the statistics in a file whose mean is this. */
  protected shapeLike(mean: Tensor | undefined): readonly number[] {
    const shape = mean?.shape ?? []
    return this.per === 'pixel' && shape.length > 0 ? shape : statisticsShape('channel', [0, ...shape])
  }
}
