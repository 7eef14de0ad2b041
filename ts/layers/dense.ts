// The fully connected layer.

import { ShapeError } from '../errors.js'
import { checkCount, checkOptions } from '../initializers/options.js'
import { matmul } from '../ops/index.js'
import type { Tensor } from '../tensor/tensor.js'
import { KernelLayer, type KernelOptions, kernelOptionNames } from './kernel-layer.js'
import { checkSingle, exampleSize, isShape, knownSize, type Shape, showFree } from './shape.js'

export interface DenseOptions extends KernelOptions {
  /** How many numbers come out. */
  units: number
}

export class Dense extends KernelLayer {
  readonly units: number

  constructor(options: DenseOptions) {
    checkOptions('dense', options, ['units', ...kernelOptionNames])
    super(options)
    this.units = checkCount(this.$label, 'units', options.units)
  }

  override get kind(): string {
    return 'dense'
  }

  override build(inputShape: Shape | readonly Shape[]): void {
    const shape = checkSingle(this.$label, inputShape)
    if (shape.length < 2) {
      throw new ShapeError(
        `${this.$label}: the input must have a batch and features. got ${showFree(shape)}. reshape(x, [1, -1]) makes one example a batch`,
      )
    }
    this.addKernel([knownSize(this.$label, shape, -1), this.units])
  }

  override forward(x: Tensor): Tensor {
    return this.activated(matmul(x, this.kernel, { bias: this.bias, activation: this.fused }))
  }

  override outputShape(inputShape: Shape): Shape {
    return inputShape.with(-1, this.units)
  }

  protected override reusable(built: Shape, other: Shape | readonly Shape[]): boolean {
    return isShape(other) && other.length >= 2 && other.at(-1) === built.at(-1)
  }

  override flops(inputShape: Shape): number | undefined {
    const inputs = exampleSize(inputShape)
    const outputs = exampleSize(this.outputShape(inputShape))
    return inputs === undefined || outputs === undefined
      ? undefined
      : 2 * inputs * this.units + this.flopsAfter(outputs)
  }

  override $kept(inputShape: Shape): number | undefined {
    return this.keptWithActivation(exampleSize(this.outputShape(inputShape)))
  }
}

/**
 * A fully connected layer, y = activation(x · kernel + bias): `[…, inputs] -> […, units]`. Axes before the last are kept;
 * put `flatten` in front to connect a whole image. The kernel is `[inputs, units]`, the bias `[units]`.
 *
 * @example
 * ```ts
 * import { layers, sequential } from 'ferrograd'
 * const model = sequential({ inputShape: [784], layers: [layers.dense({ units: 10 })] })
 * console.log(model.countParams()) // 7850
 * ```
 */
export function dense(options: DenseOptions): Dense {
  return new Dense(options)
}
