// Convolution of every channel for itself, and with a mixing of channels behind it.

import { checkCount, checkOptions } from '../initializers/options.js'
import { checkSize, type Size } from '../ops/window.js'
import { ConvolutionLayer, slidingOptionNames } from './conv2d.js'
import { type KernelOptions, kernelOptionNames } from './kernel-layer.js'
import { checkSliding, type Sliding, type SlidingOptions } from './window.js'

export interface DepthwiseConv2dOptions extends KernelOptions, SlidingOptions {
  /** Of the window, for both axes or `[height, width]`. */
  kernelSize: Size
  /** How many channels each channel becomes. Default 1. */
  depthMultiplier?: number
  /** Pixels from one tap of the window to the next. Default 1. */
  dilationRate?: Size
}

export class DepthwiseConv2d extends ConvolutionLayer {
  readonly depthMultiplier: number
  protected readonly window: Sliding

  constructor(options: DepthwiseConv2dOptions) {
    checkOptions('depthwiseConv2d', options, [
      'kernelSize',
      'depthMultiplier',
      'dilationRate',
      ...slidingOptionNames,
      ...kernelOptionNames,
    ])
    super(options)
    this.depthMultiplier = checkCount(this.$label, 'depthMultiplier', options.depthMultiplier ?? 1)
    this.window = checkSliding(this.$label, checkSize(this.$label, 'kernelSize', options.kernelSize), options, [1, 1])
  }

  override get kind(): string {
    return 'depthwiseConv2d'
  }

  protected filtersFor(channels: number): number {
    return channels * this.depthMultiplier
  }

  protected groupsFor(channels: number): number {
    return channels
  }
}

/**
 * Convolution of each channel with filters of its own: `[N, H, W, C] -> [N, H', W', C · depthMultiplier]`; channel c becomes
 * channels c · depthMultiplier and following. The kernel is `[kH, kW, 1, C · depthMultiplier]`, the bias
 * `[C · depthMultiplier]`.
 *
 * Source: Sifre 2014; Chollet 2017.
 *
 * @example
 * ```ts
 * import { layers, sequential } from 'ferrograd'
 * const model = sequential({ inputShape: [8, 8, 16], layers: [layers.depthwiseConv2d({ kernelSize: 3 })] })
 * console.log(model.outputShape, model.countParams()) // [ null, 6, 6, 16 ] 160
 * ```
 */
export function depthwiseConv2d(options: DepthwiseConv2dOptions): DepthwiseConv2d {
  return new DepthwiseConv2d(options)
}
