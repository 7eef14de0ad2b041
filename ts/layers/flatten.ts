// One row of numbers for each example.

import { checkOptions } from '../initializers/options.js'
import { reshape } from '../ops/index.js'
import { sizeOf } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { Layer, type LayerOptions } from './layer.js'
import { checkSingle, exampleSize, type Shape } from './shape.js'

export class Flatten extends Layer {
  constructor(options: LayerOptions = {}) {
    checkOptions('flatten', options, ['name', 'trainable', 'inputShape'])
    super(options)
  }

  override get kind(): string {
    return 'flatten'
  }

  override forward(x: Tensor): Tensor {
    // Not -1, which an empty batch would leave open.
    return reshape(x, [x.shape[0]!, sizeOf(x.shape.slice(1))])
  }

  override outputShape(inputShape: Shape | readonly Shape[]): Shape {
    const shape = checkSingle(this.$label, inputShape)
    return [shape[0]!, exampleSize(shape) ?? null]
  }

  override flops(): number {
    return 0
  }

  /** @internal The result shares the memory of the input. */
  override $volume(): number {
    return 0
  }
}

/** All numbers of an example in a row, the last axis running fastest: `[N, …] -> [N, product of …]`. */
export function flatten(options: LayerOptions = {}): Flatten {
  return new Flatten(options)
}
