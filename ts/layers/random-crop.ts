// Windows cut out of images at random places while training.

import { RandomCrop as Crop, type RandomCropOptions as CropOptions } from '../augment/random-crop.js'
import { AugmentationLayer, type AugmentationLayerOptions, resized } from './augmentation-layer.js'
import { type Shape, showLayout } from './shape.js'

export interface RandomCropOptions extends AugmentationLayerOptions, CropOptions {}

export class RandomCrop extends AugmentationLayer {
  /** @internal */
  protected override readonly augmentation: Crop

  constructor(options: RandomCropOptions) {
    super('randomCrop', options, Crop.options)
    this.augmentation = new Crop(this.$label, options)
  }

  override get kind(): string {
    return 'randomCrop'
  }

  override outputShape(inputShape: Shape | readonly Shape[]): Shape {
    const shape = resized(this.$label, inputShape, undefined)
    this.augmentation.$room(this.$label, shape.slice(1, 3), `input ${showLayout(shape)}`)
    return resized(this.$label, shape, this.augmentation.size)
  }
}

/**
 * While training, cuts a window of `size` (default: the image's) out of each image with its `padding` at a random place;
 * otherwise takes the one in the middle, which without a size is the image as it is. `[N, H, W, C] -> [N, size[0], size[1],
 * C]`; the gradient passes. Throws a `ShapeError` when the window does not fit. Source: Krizhevsky et al. 2012.
 */
export function randomCrop(options: RandomCropOptions): RandomCrop {
  return new RandomCrop(options)
}
