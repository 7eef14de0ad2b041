// The same numbers of each example under another shape.

import { rangeError, ShapeError, show, typeError } from '../errors.js'
import { checkOptions } from '../initializers/options.js'
import { reshape as reshaped } from '../ops/index.js'
import { sizeOf } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { Layer, type LayerOptions } from './layer.js'
import { checkSingle, exampleSize, type Shape, showFree } from './shape.js'

export interface ReshapeOptions extends LayerOptions {
  /** Of one example, without the batch. One size may be -1: it becomes whatever is left. */
  targetShape: readonly number[]
}

export class Reshape extends Layer {
  readonly targetShape: readonly number[]

  constructor(options: ReshapeOptions) {
    checkOptions('reshape', options, ['name', 'trainable', 'inputShape', 'targetShape'])
    super(options)
    const { targetShape } = options
    if (!Array.isArray(targetShape)) {
      throw typeError(
        `${this.$label}: targetShape must be an array of sizes without the batch. got ${show(targetShape)}`,
      )
    }
    if (!targetShape.every((size) => Number.isInteger(size) && size >= -1 && size < 2 ** 31)) {
      throw rangeError(
        `${this.$label}: every size of targetShape is a whole number from 0, or -1. got ${show(targetShape)}`,
      )
    }
    if (targetShape.filter((size) => size === -1).length > 1) {
      throw rangeError(`${this.$label}: only one size of targetShape can be -1. got ${show(targetShape)}`)
    }
    this.targetShape = [...targetShape]
  }

  override get kind(): string {
    return 'reshape'
  }

  override build(inputShape: Shape | readonly Shape[]): void {
    this.outputShape(inputShape)
  }

  override forward(x: Tensor): Tensor {
    return reshaped(x, this.outputShape(x.shape) as readonly number[])
  }

  override outputShape(inputShape: Shape | readonly Shape[]): Shape {
    const shape = checkSingle(this.$label, inputShape)
    const size = exampleSize(shape)
    const open = this.targetShape.indexOf(-1)
    if (size === undefined) return [shape[0]!, ...this.targetShape.map((target) => (target === -1 ? null : target))]
    const known = sizeOf(open === -1 ? this.targetShape : this.targetShape.with(open, 1))
    if (open === -1 ? known !== size : known === 0 || size % known !== 0) {
      throw new ShapeError(
        `${this.$label}: the ${size} numbers of an example do not fill targetShape ${showFree(this.targetShape)}. input ${showFree(shape)}`,
      )
    }
    return [shape[0]!, ...(open === -1 ? this.targetShape : this.targetShape.with(open, size / known))]
  }

  override flops(): number {
    return 0
  }

  /** @internal The result shares the memory of the input. */
  override $volume(): number {
    return 0
  }
}

/**
 * The numbers of each example in the same order under `targetShape`: `[N, …] -> [N, …targetShape]`.
 *
 * @example
 * ```ts
 * import { layers, sequential } from 'ferrograd'
 * const model = sequential({ inputShape: [784], layers: [layers.reshape({ targetShape: [28, 28, -1] })] })
 * console.log(model.outputShape) // [ null, 28, 28, 1 ]
 * ```
 */
export function reshape(options: ReshapeOptions): Reshape {
  return new Reshape(options)
}
