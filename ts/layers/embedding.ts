// A table of vectors, looked up by number.

import { type ConstraintOption, resolveConstraint } from '../constraints/constraint.js'
import { checkCount, checkOptions } from '../initializers/options.js'
import { type InitializerOption, resolveInitializer } from '../initializers/resolve.js'
import { gather } from '../ops/index.js'
import { type RegularizerOption, resolveRegularizer } from '../regularizers/regularizer.js'
import type { Tensor } from '../tensor/tensor.js'
import type { Variable } from '../tensor/variable.js'
import { Layer, type LayerOptions, type WeightOptions } from './layer.js'
import { checkSingle, type Shape } from './shape.js'

export interface EmbeddingOptions extends LayerOptions {
  /** How many vectors there are: indices are from 0 up to but not including it. */
  inputDim: number
  /** Length of a vector. */
  outputDim: number
  /** Default 'randomUniform'. */
  embeddingsInitializer?: InitializerOption
  embeddingsRegularizer?: RegularizerOption
  embeddingsConstraint?: ConstraintOption
}

export class Embedding extends Layer {
  readonly inputDim: number
  readonly outputDim: number
  private readonly start: InitializerOption
  private readonly limits: WeightOptions
  private table!: Variable

  constructor(options: EmbeddingOptions) {
    checkOptions('embedding', options, [
      'name',
      'trainable',
      'inputShape',
      'inputDim',
      'outputDim',
      'embeddingsInitializer',
      'embeddingsRegularizer',
      'embeddingsConstraint',
    ])
    super(options)
    const { embeddingsInitializer = 'randomUniform', embeddingsRegularizer, embeddingsConstraint } = options
    this.inputDim = checkCount(this.$label, 'inputDim', options.inputDim)
    this.outputDim = checkCount(this.$label, 'outputDim', options.outputDim)
    this.start = resolveInitializer(this.$label, 'embeddingsInitializer', embeddingsInitializer)
    this.limits = {
      regularizer:
        embeddingsRegularizer && resolveRegularizer(this.$label, 'embeddingsRegularizer', embeddingsRegularizer),
      constraint: embeddingsConstraint && resolveConstraint(this.$label, 'embeddingsConstraint', embeddingsConstraint),
    }
  }

  override get kind(): string {
    return 'embedding'
  }

  override build(inputShape: Shape | readonly Shape[]): void {
    checkSingle(this.$label, inputShape)
    this.table = this.addWeight('embeddings', [this.inputDim, this.outputDim], this.start, this.limits)
  }

  override forward(x: Tensor): Tensor {
    return gather(this.table, x)
  }

  override outputShape(inputShape: Shape | readonly Shape[]): Shape {
    return [...checkSingle(this.$label, inputShape), this.outputDim]
  }

  protected override reusable(): boolean {
    return true
  }

  override flops(): number {
    return 0
  }
}

/**
 * Replaces each whole number of its input (dtype int32) by a vector that is learnt: `[N, …] -> [N, …, outputDim]`. The weight
 * `embeddings` is `[inputDim, outputDim]`.
 */
export function embedding(options: EmbeddingOptions): Embedding {
  return new Embedding(options)
}
