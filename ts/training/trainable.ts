// What the training loop asks of a model.

import type { FilePath } from '../io/file-path.js'
import type { Tensor } from '../tensor/tensor.js'
import type { Variable } from '../tensor/variable.js'

/** A shape that a model declares: `null` stands for the batch and for sizes that are free. */
export type ModelShape = readonly (number | null)[]

/**
 * What {@link fit} and its companions can train. Class `Model` is one; whatever else has these members will do.
 *
 * Weights exist when training begins: a model that makes them when it first sees an input must do so in `forward`.
 */
export interface Trainable {
  /** Shown in errors. */
  readonly name: string
  /** Queues the forward pass and returns the predictions, `[batch, …]`. A model of several inputs takes an array. */
  forward(x: Tensor | Tensor[], options?: { training?: boolean }): Tensor
  /** Every variable that belongs to the model, running statistics included, in a fixed order. */
  readonly weights: readonly Variable[]
  readonly trainableWeights: readonly Variable[]
  /** With `null` for the batch: `[null, 28, 28, 1]`. One shape for each input where there are several. Undefined as long as it is unknown. */
  readonly inputShape: ModelShape | readonly ModelShape[] | undefined
  /** With `null` for the batch: `[null, 10]`. Undefined as long as it is unknown. */
  readonly outputShape: ModelShape | undefined
  /** The penalty that regularizers put on the current weights, recorded, of shape `[]`; undefined without any. */
  regularization(): Tensor | undefined
  /** Brings the weights back into what their constraints allow. Called after every step of the optimizer. */
  applyConstraints(): void
  /** Set to true, by a callback as a rule, it ends `fit` after the batch at hand. `fit` sets it to false when it begins. */
  stopTraining?: boolean
  /** Writes what the model is at the moment of the call, and what training goes on from: what `checkpoint` calls. */
  save?(path: FilePath, options?: { includeOptimizer?: boolean }): Promise<void>
}
