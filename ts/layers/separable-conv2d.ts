// A convolution in two steps: each channel for itself, then across channels.

import type { ConstraintOption } from '../constraints/constraint.js'
import { checkOptions } from '../initializers/options.js'
import type { InitializerOption } from '../initializers/resolve.js'
import type { Algorithms } from '../ops/conv2d.js'
import type { Size } from '../ops/window.js'
import type { RegularizerOption } from '../regularizers/regularizer.js'
import type { Tensor } from '../tensor/tensor.js'
import type { ActivationName } from './activations.js'
import { oneAfterTheOther } from './algorithms.js'
import { type Conv2d, conv2d, slidingOptionNames } from './conv2d.js'
import { type DepthwiseConv2d, depthwiseConv2d } from './depthwise-conv2d.js'
import { Layer, type LayerOptions } from './layer.js'
import type { Shape } from './shape.js'
import type { SlidingOptions } from './window.js'

export interface SeparableConv2dOptions extends LayerOptions, SlidingOptions {
  /** How many channels come out. */
  filters: number
  /** Of the window, for both axes or `[height, width]`. */
  kernelSize: Size
  /** How many channels each channel becomes in the first step. Default 1. */
  depthMultiplier?: number
  /** Pixels from one tap of the window to the next. Default 1. */
  dilationRate?: Size
  /** Applied to the result. Default 'linear'. */
  activation?: ActivationName
  /** Whether the second step has a bias; the first has none. Default true. */
  useBias?: boolean
  /** Default 'glorotUniform'. */
  depthwiseInitializer?: InitializerOption
  /** Default 'glorotUniform'. */
  pointwiseInitializer?: InitializerOption
  /** Default 'zeros'. */
  biasInitializer?: InitializerOption
  depthwiseRegularizer?: RegularizerOption
  pointwiseRegularizer?: RegularizerOption
  biasRegularizer?: RegularizerOption
  depthwiseConstraint?: ConstraintOption
  pointwiseConstraint?: ConstraintOption
  biasConstraint?: ConstraintOption
}

export class SeparableConv2d extends Layer {
  private readonly depthwise: DepthwiseConv2d
  private readonly pointwise: Conv2d

  constructor(options: SeparableConv2dOptions) {
    checkOptions('separableConv2d', options, [
      'name',
      'trainable',
      'inputShape',
      'filters',
      'kernelSize',
      'depthMultiplier',
      'dilationRate',
      ...slidingOptionNames,
      'activation',
      'useBias',
      'depthwiseInitializer',
      'pointwiseInitializer',
      'biasInitializer',
      'depthwiseRegularizer',
      'pointwiseRegularizer',
      'biasRegularizer',
      'depthwiseConstraint',
      'pointwiseConstraint',
      'biasConstraint',
    ])
    super(options)
    const { kernelSize, depthMultiplier, dilationRate, strides, padding, strict, filters, activation, useBias } =
      options
    this.depthwise = this.$within(() =>
      depthwiseConv2d(
        given({
          name: 'depthwise',
          kernelSize,
          depthMultiplier,
          dilationRate,
          strides,
          padding,
          strict,
          useBias: false,
          kernelInitializer: options.depthwiseInitializer,
          kernelRegularizer: options.depthwiseRegularizer,
          kernelConstraint: options.depthwiseConstraint,
        }),
      ),
    )
    this.pointwise = this.$within(() =>
      conv2d(
        given({
          name: 'pointwise',
          filters,
          kernelSize: 1,
          activation,
          useBias,
          kernelInitializer: options.pointwiseInitializer,
          biasInitializer: options.biasInitializer,
          kernelRegularizer: options.pointwiseRegularizer,
          biasRegularizer: options.biasRegularizer,
          kernelConstraint: options.pointwiseConstraint,
          biasConstraint: options.biasConstraint,
        }),
      ),
    )
  }

  override get kind(): string {
    return 'separableConv2d'
  }

  override build(inputShape: Shape): void {
    this.addLayer(this.depthwise, inputShape)
    this.addLayer(this.pointwise, this.depthwise.outputShape(inputShape))
  }

  override forward(x: Tensor): Tensor {
    return this.pointwise.forward(this.depthwise.forward(x))
  }

  override outputShape(inputShape: Shape): Shape {
    return this.pointwise.outputShape(this.depthwise.outputShape(inputShape))
  }

  protected override reusable(built: Shape, other: Shape): boolean {
    return built.length === other.length && built[3] === other[3]
  }

  override flops(inputShape: Shape): number | undefined {
    const first = this.depthwise.flops(inputShape)
    const second = this.pointwise.flops(this.depthwise.outputShape(inputShape))
    return first === undefined || second === undefined ? undefined : first + second
  }

  override $kept(inputShape: Shape): number | undefined {
    const first = this.depthwise.$kept(inputShape)
    const second = this.pointwise.$kept(this.depthwise.outputShape(inputShape))
    return first === undefined || second === undefined ? undefined : first + second
  }

  override $algorithms(inputShape: Shape): Algorithms {
    const between = this.depthwise.outputShape(inputShape)
    return oneAfterTheOther(this.depthwise.$algorithms(inputShape), this.pointwise.$algorithms(between))
  }
}

/** The options that were given: an option that is undefined counts as left out. */
function given<T extends object>(options: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T
}

/**
 * A depthwise convolution, then a 1 × 1 convolution across channels: `[N, H, W, C] -> [N, H', W', filters]`, with about
 * kH · kW times less work than `conv2d`. The kernels are `[kH, kW, 1, C · depthMultiplier]` and
 * `[1, 1, C · depthMultiplier, filters]`, the bias `[filters]`.
 *
 * Source: Sifre 2014; Chollet 2017.
 *
 * @example
 * ```ts
 * import { layers, sequential } from 'ferrograd'
 * const model = sequential({ inputShape: [8, 8, 16], layers: [layers.separableConv2d({ filters: 32, kernelSize: 3 })] })
 * console.log(model.outputShape, model.countParams()) // [ null, 6, 6, 32 ] 688
 * ```
 */
export function separableConv2d(options: SeparableConv2dOptions): SeparableConv2d {
  return new SeparableConv2d(options)
}
