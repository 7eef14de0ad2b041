// Pooling: windows that summarise.

import { checkOptions } from '../initializers/options.js'
import { conv2dMaxPool2d } from '../ops/conv2d-max-pool2d.js'
import { avgPool2d as averages, maxPool2d as maxima } from '../ops/index.js'
import { checkSize, type Size } from '../ops/window.js'
import type { Tensor } from '../tensor/tensor.js'
import { ConvolutionLayer, slidingOptionNames } from './conv2d.js'
import { Layer, type LayerOptions } from './layer.js'
import type { Module, Output } from './module.js'
import { checkRank, exampleSize, type Shape } from './shape.js'
import { checkSliding, type Sliding, type SlidingOptions, slide } from './window.js'

export interface AvgPool2dOptions extends LayerOptions, Omit<SlidingOptions, 'strides'> {
  /** Of the window, for both axes or `[height, width]`. Default 2. */
  poolSize?: Size
  /** Pixels from one position of the window to the next. Default: `poolSize`. */
  strides?: Size
}

export interface MaxPool2dOptions extends AvgPool2dOptions {
  /** Pixels from one tap of the window to the next. Default 1. */
  dilationRate?: Size
}

const poolOptionNames = ['name', 'trainable', 'inputShape', 'poolSize', ...slidingOptionNames] as const

export abstract class PoolLayer extends Layer {
  protected readonly window: Sliding

  constructor(options: MaxPool2dOptions) {
    super(options)
    const size = checkSize(this.$label, 'poolSize', options.poolSize ?? 2)
    this.window = checkSliding(this.$label, size, options, size)
  }

  override build(inputShape: Shape | readonly Shape[]): void {
    this.outputShape(inputShape)
  }

  override outputShape(inputShape: Shape | readonly Shape[]): Shape {
    const shape = checkRank(this.$label, inputShape, 4, 'pooling is for images')
    return [shape[0]!, ...slide(this.$label, shape, this.window), shape[3]!]
  }

  override flops(inputShape: Shape): number | undefined {
    const outputs = exampleSize(this.outputShape(inputShape))
    return outputs === undefined ? undefined : outputs * this.window.size[0] * this.window.size[1]
  }
}

export class MaxPool2d extends PoolLayer {
  constructor(options: MaxPool2dOptions = {}) {
    checkOptions('maxPool2d', options, [...poolOptionNames, 'dilationRate'])
    super(options)
  }

  override get kind(): string {
    return 'maxPool2d'
  }

  override forward(x: Tensor): Tensor {
    return maxima(x, this.window)
  }

  /** @internal */
  override $over(below: Module<Output>, x: Tensor): Tensor | undefined {
    const convolution = this.#takesIn(below) ? below.$convolution(x) : undefined
    return convolution && this.$within(() => conv2dMaxPool2d(convolution, this.window))
  }

  /** @internal */
  override $joins(below: Module<Output>, inputShape: Shape): boolean {
    return this.#takesIn(below) && below.$joinsMaxPool2d(inputShape, this.window)
  }

  #takesIn(below: Module<Output>): below is ConvolutionLayer {
    return below instanceof ConvolutionLayer && this.forward === MaxPool2d.prototype.forward
  }

  /** @internal The op keeps where the maxima were, too: a byte each. */
  override $kept(inputShape: Shape): number | undefined {
    const outputs = exampleSize(this.outputShape(inputShape))
    return outputs === undefined ? undefined : 1.25 * outputs
  }
}

export class AvgPool2d extends PoolLayer {
  constructor(options: AvgPool2dOptions = {}) {
    checkOptions('avgPool2d', options, poolOptionNames)
    super(options)
  }

  override get kind(): string {
    return 'avgPool2d'
  }

  override forward(x: Tensor): Tensor {
    const { size, stride, padding, strict } = this.window
    return averages(x, { size, stride, padding, strict })
  }
}

/**
 * The largest number in each window, channel by channel: `[N, H, W, C] -> [N, H', W', C]`.
 *
 * @example
 * ```ts
 * import { layers, sequential } from 'ferrograd'
 * const model = sequential({ inputShape: [32, 32, 8], layers: [layers.maxPool2d({ poolSize: 2 })] })
 * console.log(model.outputShape) // [ null, 16, 16, 8 ]
 * ```
 */
export function maxPool2d(options: MaxPool2dOptions = {}): MaxPool2d {
  return new MaxPool2d(options)
}

/** The mean of each window, channel by channel, padding not counted: `[N, H, W, C] -> [N, H', W', C]`. */
export function avgPool2d(options: AvgPool2dOptions = {}): AvgPool2d {
  return new AvgPool2d(options)
}
