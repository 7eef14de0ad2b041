// Layers of several inputs.

import { rangeError, ShapeError, show, typeError } from '../errors.js'
import { checkOptions } from '../initializers/options.js'
import { concat, add as sumOf } from '../ops/index.js'
import type { Tensor } from '../tensor/tensor.js'
import { Layer, type LayerOptions } from './layer.js'
import { exampleSize, isShape, type Shape, showFree } from './shape.js'

export interface ConcatenateOptions extends LayerOptions {
  /** Along which the inputs are joined, the batch being axis 0. Negative axes count from the end. Default -1. */
  axis?: number
}

/** A layer of at least two inputs. */
export abstract class MergeLayer extends Layer {
  override build(inputShape: Shape | readonly Shape[]): void {
    this.outputShape(inputShape)
  }

  protected several(inputShape: Shape | readonly Shape[]): readonly Shape[] {
    if (isShape(inputShape) || inputShape.length < 2) {
      throw new ShapeError(
        `${this.$label}: joins at least two inputs. got one of shape ${showFree(isShape(inputShape) ? inputShape : inputShape[0]!)}. apply([a, b])`,
      )
    }
    return inputShape
  }
}

export class Add extends MergeLayer {
  constructor(options: LayerOptions = {}) {
    checkOptions('add', options, ['name', 'trainable', 'inputShape'])
    super(options)
  }

  override get kind(): string {
    return 'add'
  }

  override forward(x: Tensor[]): Tensor {
    return x.reduce((sum, other) => sumOf(sum, other))
  }

  override outputShape(inputShape: Shape | readonly Shape[]): Shape {
    return this.several(inputShape).reduce((shape, other) => {
      if (shape.length !== other.length || shape.some((size, axis) => clash(size, other[axis]!))) {
        throw new ShapeError(
          `${this.$label}: all inputs must have the same shape. got ${this.several(inputShape).map(showFree).join(', ')}`,
        )
      }
      return shape.map((size, axis) => size ?? other[axis]!)
    })
  }

  override flops(inputShape: readonly Shape[]): number | undefined {
    const size = exampleSize(this.outputShape(inputShape))
    return size === undefined ? undefined : size * (inputShape.length - 1)
  }
}

export class Concatenate extends MergeLayer {
  readonly axis: number

  constructor(options: ConcatenateOptions = {}) {
    checkOptions('concatenate', options, ['name', 'trainable', 'inputShape', 'axis'])
    super(options)
    const { axis = -1 } = options
    if (typeof axis !== 'number') throw typeError(`${this.$label}: axis must be a whole number. got ${show(axis)}`)
    if (!Number.isInteger(axis) || axis === 0) {
      throw rangeError(`${this.$label}: axis must be a whole number other than 0, the batch. got ${show(axis)}`)
    }
    this.axis = axis
  }

  override get kind(): string {
    return 'concatenate'
  }

  override forward(x: Tensor[]): Tensor {
    return concat(x, { axis: this.axis })
  }

  override outputShape(inputShape: Shape | readonly Shape[]): Shape {
    const shapes = this.several(inputShape)
    const rank = shapes[0]!.length
    const axis = this.axis < 0 ? this.axis + rank : this.axis
    const all = shapes.map(showFree).join(', ')
    if (axis < 1 || axis >= rank) {
      throw new ShapeError(`${this.$label}: axis ${this.axis} does not exist, or is the batch. inputs ${all}`)
    }
    return shapes.reduce((shape, other) => {
      if (other.length !== rank || shape.some((size, i) => i !== axis && clash(size, other[i]!))) {
        throw new ShapeError(`${this.$label}: only axis ${axis} of the inputs may differ. got ${all}`)
      }
      return shape.map((size, i) => {
        if (i !== axis) return size ?? other[i]!
        return size === null || other[i] === null ? null : size + other[i]!
      })
    })
  }

  override flops(): number {
    return 0
  }
}

function clash(a: number | null, b: number | null): boolean {
  return a !== b && a !== null && b !== null
}

/**
 * The sum of its inputs, which have one shape: the shortcut of a residual block.
 *
 * @example
 * ```ts
 * import { input, layers, model } from 'ferrograd'
 * const x = input({ shape: [8, 8, 16] })
 * const y = layers.conv2d({ filters: 16, kernelSize: 3, padding: 'same', activation: 'relu' }).apply(x)
 * const net = model({ inputs: x, outputs: layers.add().apply([x, y]) })
 * console.log(net.outputShape) // [ null, 8, 8, 16 ]
 * ```
 */
export function add(options: LayerOptions = {}): Add {
  return new Add(options)
}

/**
 * Its inputs one behind the other along `axis`; they agree in all other axes.
 *
 * @example
 * ```ts
 * import { input, layers, model } from 'ferrograd'
 * const [a, b] = [input({ shape: [3] }), input({ shape: [4] })]
 * const net = model({ inputs: [a, b], outputs: layers.concatenate().apply([a, b]) })
 * console.log(net.outputShape) // [ null, 7 ]
 * ```
 */
export function concatenate(options: ConcatenateOptions = {}): Concatenate {
  return new Concatenate(options)
}
