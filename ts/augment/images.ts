// Batches of images, as everything that changes them takes them.

import { DTypeError, rangeError, ShapeError, show, typeError } from '../errors.js'
import { showShape } from '../tensor/shape.js'
import { checkTensor, type Tensor } from '../tensor/tensor.js'

/** @internal The sizes of a batch of images. */
export interface ImageSizes {
  readonly samples: number
  readonly height: number
  readonly width: number
  readonly channels: number
}

/** @internal How a batch of images looks in an error. */
export function showImages(x: Tensor): string {
  return `images ${showShape(x.shape)} (N, H, W, C)`
}

/** @internal Throws unless `x` is images with pixels that can be changed. There may be none. */
export function checkImages(op: string, argument: string, x: unknown): ImageSizes {
  checkTensor(op, argument, x)
  if (x.shape.length !== 4) {
    throw new ShapeError(
      `${op}: ${argument} must be images, [samples, height, width, channels]. got ${showShape(x.shape)}. give it all four axes: reshape(${argument}, [samples, height, width, channels])`,
    )
  }
  checkPixels(op, argument, x)
  const [samples, height, width, channels] = x.shape as [number, number, number, number]
  if (height * width * channels === 0) throw new ShapeError(`${op}: the images have no pixels. ${showImages(x)}`)
  return { samples, height, width, channels }
}

/** @internal Throws unless the dtype is one of pixels. */
export function checkPixels(op: string, argument: string, x: Tensor): void {
  if (x.dtype === 'int32') {
    throw new DTypeError(
      `${op}: ${argument} has dtype int32, but pixels are uint8, float32 or float64. cast it first: cast(${argument}, { dtype: 'uint8' })`,
    )
  }
}

/** @internal The numbers with which the native side is told of sizes before and after. */
export function sizeWords(
  { samples, height, width, channels }: ImageSizes,
  size: readonly [number, number] = [height, width],
): Float64Array {
  return Float64Array.of(samples, height, width, channels, ...size)
}

/** One number for all channels or one for each, in the units of the images: 0 to 255 where they are uint8. */
export type Fill = number | readonly number[]

/** @internal Throws unless `fill` can be a color. */
export function checkFill(op: string, fill: unknown): Fill {
  const numbers: readonly unknown[] = Array.isArray(fill) ? fill : [fill]
  for (const value of numbers) {
    if (typeof value !== 'number') {
      throw typeError(`${op}: fill must be a number or one for each channel. got ${show(fill)}`)
    }
    if (!Number.isFinite(value)) throw rangeError(`${op}: fill must be finite. got ${show(fill)}`)
  }
  return Array.isArray(fill) ? [...fill] : (fill as number)
}

/** @internal The color as the images need it. */
export function fillFor(op: string, fill: Fill, x: Tensor): Float64Array {
  const channels = x.shape[3]!
  if (typeof fill !== 'number' && fill.length !== channels) {
    throw new ShapeError(
      `${op}: fill has ${fill.length} numbers, but the images have ${channels} ${channels === 1 ? 'channel' : 'channels'}. ${showImages(x)}. give one for each channel or a single number`,
    )
  }
  const color = typeof fill === 'number' ? new Float64Array(channels).fill(fill) : Float64Array.from(fill)
  const wrong = x.dtype === 'uint8' ? color.find((v) => !Number.isInteger(v) || v < 0 || v > 255) : undefined
  if (wrong !== undefined) {
    throw rangeError(`${op}: the images are uint8, so fill must be whole numbers from 0 to 255. got ${show(wrong)}`)
  }
  return color
}
