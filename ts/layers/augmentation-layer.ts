// Layers that change images at random while training.

import type { ImageAugmentation } from '../augment/augmentation.js'
import { Draws, numbered } from '../augment/draws.js'
import { checkOptions } from '../initializers/options.js'
import { checkSeed, mixSeed, nextSeed } from '../tensor/seed.js'
import type { Tensor } from '../tensor/tensor.js'
import { Layer, type LayerOptions } from './layer.js'
import { checkRank, type Shape } from './shape.js'

export interface AugmentationLayerOptions extends LayerOptions {
  /** Starts a sequence of its own; without it the one of `setSeed` is used. */
  seed?: number
}

/** What these layers share: an augmentation that only training applies, and no weights. */
export abstract class AugmentationLayer extends Layer {
  readonly seed: number | undefined
  /** @internal How many batches were changed with its own sequence. */
  override $drawn = 0
  /** @internal Whether it rests in training too: sanity checks look at the network without it. */
  $idle = false
  /** @internal */
  protected abstract readonly augmentation: ImageAugmentation

  constructor(kind: string, options: AugmentationLayerOptions, known: readonly string[]) {
    checkOptions(kind, options, ['name', 'trainable', 'inputShape', 'seed', ...known])
    super(options)
    this.seed = options.seed === undefined ? undefined : checkSeed(this.$label, options.seed)
  }

  override build(inputShape: Shape | readonly Shape[]): void {
    checkRank(this.$label, inputShape, 4, 'it is for images')
  }

  override forward(x: Tensor, { training }: { training: boolean }): Tensor {
    if (!training || this.$idle) return this.augmentation.$rest(x, this.$label)
    const seed = this.seed === undefined ? nextSeed() : mixSeed(this.seed, ++this.$drawn)
    return this.augmentation.$change(x, new Draws(seed, 0, numbered(x.shape[0]!)), this.$label)
  }

  override flops(): number {
    return 0
  }
}

/** @internal The shape of images that a layer brings to `size`, if it has one. */
export function resized(label: string, input: Shape | readonly Shape[], size: readonly number[] | undefined): Shape {
  const shape = checkRank(label, input, 4, 'it is for images')
  return size === undefined ? shape : [shape[0]!, ...size, shape[3]!]
}
