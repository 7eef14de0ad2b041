// Image files as pixels, by the optional package sharp.

import type { FitEnum, Sharp } from 'sharp'
import { rangeError } from '../errors.js'

export interface DecodeOptions {
  /** `[height, width]`; undefined leaves the size as it is. */
  size: readonly [number, number] | undefined
  fit: 'cover' | 'contain' | 'fill'
  channels: 1 | 3 | 4
  /** The most pixels that a file may claim to have. */
  maxPixels: number
}

export interface DecodedImage {
  height: number
  width: number
  /** Row by row, channels last. */
  pixels: Uint8Array
}

type SharpModule = typeof import('sharp')['default']

let loading: Promise<SharpModule> | undefined

/** @internal The package, loaded when it is first needed. Throws an error that says how to install it. */
export async function loadSharp(op: string): Promise<SharpModule> {
  try {
    loading ??= import('sharp').then((module) => module.default)
    return await loading
  } catch (error) {
    loading = undefined
    throw Object.assign(
      new Error(`${op}: reading images needs the package sharp. install it: npm install sharp`, { cause: error }),
      { code: 'ERR_MISSING_PACKAGE' },
    )
  }
}

/**
 * @internal The pixels of an image file, decoded, turned as its EXIF data say, and brought to size on a thread of libuv's
 * pool. Transparent places become black unless `channels` is 4.
 */
export async function decodeImage(sharp: SharpModule, path: string, options: DecodeOptions): Promise<DecodedImage> {
  const { size, fit, channels, maxPixels } = options
  let image: Sharp = sharp(path, { limitInputPixels: maxPixels, sequentialRead: true }).rotate()
  if (size !== undefined) {
    const [height, width] = size
    image = image.resize({ width, height, fit: fit as keyof FitEnum, background: { r: 0, g: 0, b: 0, alpha: 1 } })
  }
  image = channels === 4 ? image.toColourspace('srgb').ensureAlpha() : image.flatten({ background: '#000' })
  image = channels === 1 ? image.grayscale().toColourspace('b-w') : image.toColourspace('srgb')
  const { data, info } = await image.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true })
  if (data.length !== info.width * info.height * channels) {
    throw rangeError(`it has ${info.channels} channels, not ${channels}`)
  }
  return { height: info.height, width: info.width, pixels: data }
}
