// Convolution as a layer.

import { rangeError, ShapeError } from '../errors.js'
import { checkCount, checkOptions } from '../initializers/options.js'
import {
  type Algorithms,
  type Convolution,
  checkConvolution,
  conv2dAlgorithms,
  type Conv2dOptions as OpOptions,
} from '../ops/conv2d.js'
import { joinsMaxPool2d } from '../ops/conv2d-max-pool2d.js'
import { conv2d as convolve } from '../ops/index.js'
import { checkSize, type Size } from '../ops/window.js'
import type { Tensor } from '../tensor/tensor.js'
import { algorithmsFor } from './algorithms.js'
import { KernelLayer, type KernelOptions, kernelOptionNames } from './kernel-layer.js'
import { checkRank, exampleSize, isShape, knownSize, type Shape, showLayout } from './shape.js'
import { checkSliding, type Sliding, type SlidingOptions, slide } from './window.js'

export interface Conv2dOptions extends KernelOptions, SlidingOptions {
  /** How many channels come out. */
  filters: number
  /** Of the window, for both axes or `[height, width]`. */
  kernelSize: Size
  /** Pixels from one tap of the window to the next. Default 1. */
  dilationRate?: Size
  /** Cuts channels and filters into groups that have nothing to do with each other. Default 1. */
  groups?: number
}

/** What `fit` and `predict` take at once unless told otherwise. */
const usualBatch = 32

/** A layer with one convolution. */
export abstract class ConvolutionLayer extends KernelLayer {
  protected abstract readonly window: Sliding
  /** How many channels come out for so many that go in. */
  protected abstract filtersFor(channels: number): number
  protected abstract groupsFor(channels: number): number

  override build(inputShape: Shape | readonly Shape[]): void {
    const shape = this.checkImages(inputShape)
    const channels = knownSize(this.$label, shape, -1)
    const filters = this.filtersFor(channels)
    const groups = this.groupsFor(channels)
    if (channels === 0 || channels % groups !== 0) {
      throw new ShapeError(
        `${this.$label}: ${groups} groups do not divide the ${channels} channels of the input. input ${showLayout(shape)}`,
      )
    }
    slide(this.$label, shape, this.window)
    this.addKernel([...this.window.size, channels / groups, filters])
  }

  override forward(x: Tensor): Tensor {
    return this.activated(convolve(x, this.kernel, this.#optionsFor(x)))
  }

  #optionsFor(x: Tensor): OpOptions {
    const { stride, padding, dilation, strict } = this.window
    const { bias, fused } = this
    return { bias, stride, padding, dilation, strict, groups: this.groupsFor(x.shape[3]!), activation: fused }
  }

  /** Whether `forward` is one op, which another can take in. */
  get #isOne(): boolean {
    return (
      (this.activation === 'linear' || this.fused !== undefined) && this.forward === ConvolutionLayer.prototype.forward
    )
  }

  /** @internal What `forward` computes from, for an op that takes it in; undefined if it does more than convolve and rectify. */
  $convolution(x: Tensor): Convolution | undefined {
    return this.#isOne ? this.$within(() => checkConvolution(x, this.kernel, this.#optionsFor(x))) : undefined
  }

  /** @internal Whether a max-pool over these windows takes it in, in batches of the usual size. */
  $joinsMaxPool2d(inputShape: Shape, pooling: Sliding): boolean {
    const sizes = inputShape.slice(1)
    if (!this.#isOne || this.dtype !== 'float32' || sizes.includes(null)) return false
    const images = [usualBatch, ...(sizes as number[])]
    return joinsMaxPool2d(this.$label, images, this.kernel.shape, this.groupsFor(images[3]!), this.window, pooling)
  }

  override outputShape(inputShape: Shape): Shape {
    const shape = this.checkImages(inputShape)
    const [height, width] = slide(this.$label, shape, this.window)
    return [shape[0]!, height, width, this.filtersFor(knownSize(this.$label, shape, -1))]
  }

  protected override reusable(built: Shape, other: Shape | readonly Shape[]): boolean {
    return isShape(other) && other.length === 4 && other[3] === built[3]
  }

  override flops(inputShape: Shape): number | undefined {
    const outputs = exampleSize(this.outputShape(inputShape))
    if (outputs === undefined) return undefined
    const channels = knownSize(this.$label, inputShape, -1)
    const taps = (this.window.size[0] * this.window.size[1] * channels) / this.groupsFor(channels)
    return 2 * taps * outputs + this.flopsAfter(outputs)
  }

  override $kept(inputShape: Shape): number | undefined {
    return this.keptWithActivation(exampleSize(this.outputShape(inputShape)))
  }

  override $algorithms(inputShape: Shape): Algorithms {
    return algorithmsFor(this.dtype, inputShape, (images) =>
      conv2dAlgorithms(this.$label, images, this.kernel.shape, this.groupsFor(images[3]!), this.window),
    )
  }

  private checkImages(inputShape: Shape | readonly Shape[]): Shape {
    return checkRank(this.$label, inputShape, 4, 'reshape gives images a channel axis: [N, H, W, 1]')
  }
}

export class Conv2d extends ConvolutionLayer {
  readonly filters: number
  readonly groups: number
  protected readonly window: Sliding

  constructor(options: Conv2dOptions) {
    checkOptions('conv2d', options, convOptionNames)
    super(options)
    this.filters = checkCount(this.$label, 'filters', options.filters)
    this.groups = checkCount(this.$label, 'groups', options.groups ?? 1)
    if (this.filters % this.groups !== 0) {
      throw rangeError(`${this.$label}: ${this.groups} groups do not divide the ${this.filters} filters`)
    }
    this.window = checkSliding(this.$label, checkSize(this.$label, 'kernelSize', options.kernelSize), options, [1, 1])
  }

  override get kind(): string {
    return 'conv2d'
  }

  protected filtersFor(): number {
    return this.filters
  }

  protected groupsFor(): number {
    return this.groups
  }
}

/** @internal */
export const slidingOptionNames = ['strides', 'padding', 'strict'] as const

const convOptionNames = [
  'filters',
  'kernelSize',
  'dilationRate',
  'groups',
  ...slidingOptionNames,
  ...kernelOptionNames,
] as const

/**
 * Convolution: `[N, H, W, C] -> [N, H', W', filters]`, H' = ⌊(H + padding − ((kH − 1) · dilationRate + 1)) / strides⌋ + 1. The
 * kernel is `[kH, kW, C / groups, filters]`, the bias `[filters]`.
 *
 * @example
 * ```ts
 * import { layers, sequential } from 'ferrograd'
 * const model = sequential({
 *   inputShape: [32, 32, 3],
 *   layers: [layers.conv2d({ filters: 10, kernelSize: 5, padding: 2, activation: 'relu' })],
 * })
 * console.log(model.outputShape, model.countParams()) // [ null, 32, 32, 10 ] 760
 * ```
 */
export function conv2d(options: Conv2dOptions): Conv2d {
  return new Conv2d(options)
}
