// The largest of several linear functions.

import { rangeError, show } from '../errors.js'
import { checkCount, checkOptions } from '../initializers/options.js'
import { maxout as largest } from '../ops/index.js'
import type { Size } from '../ops/window.js'
import type { Tensor } from '../tensor/tensor.js'
import { type Conv2d, conv2d, slidingOptionNames } from './conv2d.js'
import { type Dense, dense } from './dense.js'
import { type KernelOptions, kernelOptionNames } from './kernel-layer.js'
import { Layer } from './layer.js'
import { exampleSize, isShape, type Shape } from './shape.js'
import type { SlidingOptions } from './window.js'

interface CommonMaxoutOptions extends Omit<KernelOptions, 'activation'> {
  /** How many linear functions each number that comes out is the largest of. */
  pieces: number
}

/** Fully connected. */
export interface DenseMaxoutOptions extends CommonMaxoutOptions {
  /** How many numbers come out. */
  units: number
}

/** Convolutional. */
export interface ConvMaxoutOptions extends CommonMaxoutOptions, SlidingOptions {
  /** How many channels come out. */
  filters: number
  /** Of the window, for both axes or `[height, width]`. */
  kernelSize: Size
  /** Pixels from one tap of the window to the next. Default 1. */
  dilationRate?: Size
  /** Cuts channels and filters into groups that have nothing to do with each other. Default 1. */
  groups?: number
}

export type MaxoutOptions = DenseMaxoutOptions | ConvMaxoutOptions

export class Maxout extends Layer {
  readonly pieces: number
  private readonly linear: Dense | Conv2d

  constructor(options: MaxoutOptions) {
    const common = ['pieces', ...kernelOptionNames.filter((name) => name !== 'activation')]
    const both = { ...options } as Partial<DenseMaxoutOptions & ConvMaxoutOptions>
    const convolutional = 'filters' in both
    checkOptions(
      'maxout',
      options,
      convolutional
        ? ['filters', 'kernelSize', 'dilationRate', 'groups', ...slidingOptionNames, ...common]
        : ['units', ...common],
    )
    super(options)
    this.pieces = checkCount(this.$label, 'pieces', options.pieces)
    if (this.pieces < 2) throw rangeError(`${this.$label}: pieces must be 2 or more. got ${show(this.pieces)}`)
    const { pieces: _, name: __, inputShape: ___, trainable: ____, ...rest } = options
    this.linear = this.$within(() =>
      'filters' in rest
        ? conv2d({
            ...rest,
            name: 'linear',
            filters: checkCount(this.$label, 'filters', rest.filters) * this.pieces,
          })
        : dense({ ...rest, name: 'linear', units: checkCount(this.$label, 'units', rest.units) * this.pieces }),
    )
  }

  override get kind(): string {
    return 'maxout'
  }

  override build(inputShape: Shape | readonly Shape[]): void {
    this.addLayer(this.linear, inputShape)
  }

  override forward(x: Tensor): Tensor {
    return largest(this.linear.forward(x), { pieces: this.pieces })
  }

  override outputShape(inputShape: Shape): Shape {
    const shape = this.linear.outputShape(inputShape)
    return shape.with(-1, shape.at(-1)! / this.pieces)
  }

  protected override reusable(built: Shape, other: Shape | readonly Shape[]): boolean {
    return isShape(other) && other.length === built.length && other.at(-1) === built.at(-1)
  }

  override flops(inputShape: Shape): number | undefined {
    const products = this.linear.flops(inputShape)
    const outputs = exampleSize(this.linear.outputShape(inputShape))
    return products === undefined || outputs === undefined ? undefined : products + outputs
  }

  override $kept(inputShape: Shape): number | undefined {
    const before = exampleSize(this.linear.outputShape(inputShape))
    return before === undefined ? undefined : before + before / this.pieces
  }
}

/**
 * The largest of `pieces` linear functions for each number that comes out, y = max over p of (x · kernelₚ + biasₚ):
 * fully connected with `units`, convolutional with `filters` and `kernelSize`. The kernel has `units` · `pieces` outputs,
 * those of one maximum side by side. Source: Goodfellow et al. 2013.
 *
 * @example
 * ```ts
 * import { layers, sequential } from 'ferrograd'
 * const model = sequential({ inputShape: [5], layers: [layers.maxout({ units: 3, pieces: 2 })] })
 * console.log(model.outputShape, model.countParams()) // [ null, 3 ] 36
 * ```
 */
export function maxout(options: MaxoutOptions): Maxout {
  return new Maxout(options)
}
