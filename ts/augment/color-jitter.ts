// Colors changed at random.

import { rangeError, show, typeError } from '../errors.js'
import { checkNumber, checkOptions } from '../initializers/options.js'
import type { Tensor } from '../tensor/tensor.js'
import { type Augmentation, ImageAugmentation } from './augmentation.js'
import type { Draws } from './draws.js'
import { checkColors, jitterColors } from './jitter-colors.js'
import { between, checkRange, type Range } from './options.js'

/** All are off by default; at least one is needed. */
export interface ColorJitterOptions {
  /** The factor of brightness, from `[min, max]`; a number b stands for `[max(0, 1 − b), 1 + b]`. */
  brightness?: number | Range
  /** The factor by which values move away from the mean of the grey image, given in the same ways. */
  contrast?: number | Range
  /** The factor by which colors move away from grey, given in the same ways. For 3 channels. */
  saturation?: number | Range
  /** How far the hue is turned, in turns: from `[min, max]` within −0.5 to 0.5; a number h stands for `[−h, h]`. For 3 channels. */
  hue?: number | Range
}

/** @internal */
export class ColorJitter extends ImageAugmentation {
  static readonly options = ['brightness', 'contrast', 'saturation', 'hue'] as const
  private readonly brightness: Range
  private readonly contrast: Range
  private readonly saturation: Range
  private readonly hue: Range

  constructor(op: string, options: ColorJitterOptions) {
    super(op)
    if (ColorJitter.options.every((name) => options[name] === undefined)) {
      throw typeError(`${op}: needs brightness, contrast, saturation or hue. without them nothing changes`)
    }
    this.brightness = factors(op, 'brightness', options.brightness)
    this.contrast = factors(op, 'contrast', options.contrast)
    this.saturation = factors(op, 'saturation', options.saturation)
    this.hue = hues(op, options.hue)
  }

  /** Throws when images of so many channels lack what it changes. */
  $checkChannels(op: string, channels: number, images: string): void {
    if ([...this.saturation, ...this.hue].join() !== '1,1,0,0') checkColors(op, channels, images)
  }

  override $change(x: Tensor, draws: Draws, op: string): Tensor {
    const changes = draws.map((random) => ({
      brightness: between(random, this.brightness),
      contrast: between(random, this.contrast),
      saturation: between(random, this.saturation),
      hue: between(random, this.hue),
    }))
    return jitterColors(op, x, changes)
  }
}

function factors(op: string, name: string, value: number | Range | undefined): Range {
  if (Array.isArray(value)) return checkRange(op, name, value, 0)
  const most = value === undefined ? 0 : checkNumber(op, name, value, 0)
  return [Math.max(0, 1 - most), 1 + most]
}

function hues(op: string, value: number | Range | undefined): Range {
  const most = value === undefined ? 0 : Array.isArray(value) ? undefined : checkNumber(op, 'hue', value, 0)
  const range: Range = most === undefined ? checkRange(op, 'hue', value) : [-most, most]
  if (range[0] < -0.5 || range[1] > 0.5) {
    throw rangeError(`${op}: hue must be within half a turn, from -0.5 to 0.5. got ${show(value)}`)
  }
  return range
}

/**
 * Changes brightness, contrast, saturation and hue of each image by random amounts, evenly spread and in this order; each
 * result is clamped to the range of the images. Grey is 0.299 R + 0.587 G + 0.114 B; where there are not three channels,
 * the mean of all.
 *
 * Images `[N, H, W, C]`: uint8 from 0 to 255 (rounded to the nearest once, at the end), or float32 and float64 from 0 to
 * 1. Shape and dtype stay. Has no gradient: a `GradientError` where images depend on a variable.
 *
 * Throws a `ShapeError` for saturation or hue of images without three channels.
 *
 * @example
 * ```ts
 * import { augment, tensor } from 'ferrograd'
 * const xs = tensor(new Uint8Array([100, 10, 0]), { shape: [1, 1, 1, 3] })
 * const bright = augment.colorJitter({ brightness: [2, 2] })
 * console.log(await bright.apply({ xs }).xs.data()) // Uint8Array(3) [ 200, 20, 0 ]
 * ```
 */
export function colorJitter(options: ColorJitterOptions): Augmentation {
  checkOptions('augment.colorJitter', options, ColorJitter.options)
  return new ColorJitter('augment.colorJitter', options)
}
