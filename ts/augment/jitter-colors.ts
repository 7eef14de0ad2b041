// Brightness, contrast, saturation and hue of images.

import { recording } from '../autograd/record.js'
import { GradientError, ShapeError } from '../errors.js'
import { native } from '../native/index.js'
import { empty, type Tensor } from '../tensor/tensor.js'
import { checkImages, showImages, sizeWords } from './images.js'

/** @internal Three factors, and a shift of the hue in turns. Factors of 1 and a shift of 0 change nothing. */
export interface ColorChange {
  readonly brightness: number
  readonly contrast: number
  readonly saturation: number
  readonly hue: number
}

/** @internal Throws unless images of so many channels have a saturation and a hue. */
export function checkColors(op: string, channels: number, images: string): void {
  if (channels === 3) return
  throw new ShapeError(
    `${op}: saturation and hue are of colors, which have 3 channels (red, green, blue), but the images have ${channels}. ${images}. leave both out`,
  )
}

/** @internal The images in other colors: one change for each. Has no gradient: throws where one would be recorded. */
export function jitterColors(op: string, x: Tensor, changes: readonly ColorChange[]): Tensor {
  const images = checkImages(op, 'x', x)
  if (changes.some(({ saturation, hue }) => saturation !== 1 || hue !== 0)) {
    checkColors(op, images.channels, showImages(x))
  }
  if (recording(x)) {
    throw new GradientError(
      `${op}: has no gradient, but its images depend on a variable. ${showImages(x)}. put it before the layers that learn, or run it inside noGrad(() => …)`,
    )
  }
  const words = Float64Array.from(
    changes.flatMap(({ brightness, contrast, saturation, hue }) => [brightness, contrast, saturation, hue]),
  )
  const y = empty(x.shape, x.dtype)
  native.jitterColors(x.handle, y.handle, sizeWords(images), words)
  return y
}
