// Convolution the other way round, from small images to large ones.

import { ShapeError } from '../errors.js'
import { checkCount, checkOptions } from '../initializers/options.js'
import { convTranspose2dAlgorithms } from '../ops/conv-transpose2d.js'
import type { Algorithms } from '../ops/conv2d.js'
import { convTranspose2d as spread } from '../ops/index.js'
import { checkSize, type Padding, type Size, windowAxes } from '../ops/window.js'
import type { Tensor } from '../tensor/tensor.js'
import { algorithmsFor } from './algorithms.js'
import { KernelLayer, type KernelOptions, kernelOptionNames } from './kernel-layer.js'
import { checkRank, exampleSize, isShape, knownSize, type Shape, showLayout } from './shape.js'

export interface ConvTranspose2dOptions extends KernelOptions {
  /** How many channels come out. */
  filters: number
  /** Of the window, for both axes or `[height, width]`. */
  kernelSize: Size
  /** Pixels between what two neighbouring pixels of the input become, for both axes or `[height, width]`. Default 1. */
  strides?: Size
  /**
   * What is cropped from the output. 'valid': nothing, the default. 'same': as much as makes the output input · stride. A
   * number: on every side. `[[top, bottom], [left, right]]`.
   */
  padding?: Padding
}

export class ConvTranspose2d extends KernelLayer {
  readonly filters: number
  private readonly size: readonly [number, number]
  private readonly stride: readonly [number, number]
  private readonly padding: Padding

  constructor(options: ConvTranspose2dOptions) {
    checkOptions('convTranspose2d', options, ['filters', 'kernelSize', 'strides', 'padding', ...kernelOptionNames])
    super(options)
    this.filters = checkCount(this.$label, 'filters', options.filters)
    this.size = checkSize(this.$label, 'kernelSize', options.kernelSize)
    this.stride = checkSize(this.$label, 'strides', options.strides ?? 1)
    this.padding = options.padding ?? 'valid'
    // A huge image, for which only the padding can be wrong.
    windowAxes(this.$label, 'any output', [2 ** 30, 2 ** 30], [1, 1], { padding: this.padding })
  }

  override get kind(): string {
    return 'convTranspose2d'
  }

  override build(inputShape: Shape | readonly Shape[]): void {
    const [, , , filters] = this.outputShape(inputShape)
    this.addKernel([...this.size, knownSize(this.$label, inputShape as Shape, -1), filters!])
  }

  override forward(x: Tensor): Tensor {
    const { bias, stride, padding, fused } = this
    return this.activated(spread(x, this.kernel, { bias, stride, padding, activation: fused }))
  }

  override outputShape(inputShape: Shape | readonly Shape[]): Shape {
    const shape = checkRank(this.$label, inputShape, 4, 'reshape gives images a channel axis: [N, H, W, 1]')
    return [shape[0]!, this.enlarged(shape, 0), this.enlarged(shape, 1), this.filters]
  }

  /** Height or width of what comes out. */
  private enlarged(shape: Shape, axis: 0 | 1): number | null {
    const { padding } = this
    const [size, stride, kernel] = [shape[axis + 1]!, this.stride[axis], this.size[axis]]
    if (size === null) return null
    if (padding === 'same') return size * stride
    const [before, after] =
      padding === 'valid' ? [0, 0] : typeof padding === 'number' ? [padding, padding] : padding[axis]
    const enlarged = (size - 1) * stride + kernel - before - after
    if (size === 0 || enlarged < 1) {
      throw new ShapeError(
        `${this.$label}: padding leaves nothing of the ${axis === 0 ? 'height' : 'width'}. input ${showLayout(shape)}. use less padding`,
      )
    }
    return enlarged
  }

  protected override reusable(built: Shape, other: Shape | readonly Shape[]): boolean {
    return isShape(other) && other.length === 4 && other[3] === built[3]
  }

  override flops(inputShape: Shape): number | undefined {
    const inputs = exampleSize(inputShape)
    const outputs = exampleSize(this.outputShape(inputShape))
    if (inputs === undefined || outputs === undefined) return undefined
    return 2 * inputs * this.size[0] * this.size[1] * this.filters + this.flopsAfter(outputs)
  }

  override $kept(inputShape: Shape): number | undefined {
    return this.keptWithActivation(exampleSize(this.outputShape(inputShape)))
  }

  override $algorithms(inputShape: Shape): Algorithms {
    const { stride, padding } = this
    return algorithmsFor(this.dtype, inputShape, (images) =>
      convTranspose2dAlgorithms(this.$label, images, this.kernel.shape, { stride, padding }),
    )
  }
}

/**
 * A transposed convolution, the gradient of a convolution with respect to its input: `[N, H, W, C] -> [N, H', W', filters]`,
 * H' = (H − 1) · strides + kH − cropped, or H · strides for 'same'. The kernel is `[kH, kW, C, filters]`, the bias `[filters]`.
 *
 * Source: Zeiler et al. 2010.
 *
 * @example
 * ```ts
 * import { layers, sequential } from 'ferrograd'
 * const up = layers.convTranspose2d({ filters: 8, kernelSize: 3, strides: 2, padding: 'same' })
 * const model = sequential({ inputShape: [7, 7, 16], layers: [up] })
 * console.log(model.outputShape, model.countParams()) // [ null, 14, 14, 8 ] 1160
 * ```
 */
export function convTranspose2d(options: ConvTranspose2dOptions): ConvTranspose2d {
  return new ConvTranspose2d(options)
}
