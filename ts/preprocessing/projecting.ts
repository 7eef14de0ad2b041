// Preprocessing whose results are components along principal axes.

import type { Tensor } from '../tensor/tensor.js'
import { Preprocessing, type Requirement, type Statistics } from './preprocessing.js'
import { checkComponents, principalAxes } from './principal-axes.js'
import { axesRequirements } from './projection.js'
import { checkResults, checkSamples } from './samples.js'

export interface ComponentsOptions {
  /**
   * How many components to keep, or, between 0 and 1, the share of the variance that those kept must explain. Default:
   * all along which the training data vary.
   */
  components?: number
}

/** What turns samples into their components along principal axes: `[N, …] -> [N, components]`. */
export abstract class Projecting extends Preprocessing {
  protected readonly wanted: number | undefined

  constructor(label: string, options: ComponentsOptions) {
    super()
    this.wanted = checkComponents(label, options.components)
  }

  /** The mean of the training data, of the shape of one sample. */
  get mean(): Tensor {
    return this.$statisticsFor('mean').mean!
  }

  /**
   * `[components, features]`: unit vectors at right angles, that of the largest variance first. The largest number in
   * each (the first of equals) is positive.
   */
  get components(): Tensor {
    return this.$statisticsFor('components').components!
  }

  /** `[components]`: the variance of the training data along each, the eigenvalue of their covariance (divided by N). */
  get explainedVariance(): Tensor {
    return this.$statisticsFor('explainedVariance').explainedVariance!
  }

  override async $learn(x: Tensor): Promise<Statistics> {
    return (await principalAxes(this.$label, x, this.wanted)).statistics
  }

  override $outputShape(shape: readonly number[], { mean, components }: Statistics): readonly number[] {
    checkSamples(this.$label, shape, mean!.shape)
    return [shape[0]!, components!.shape[0]!]
  }

  override $inputShape(shape: readonly number[], { mean, components }: Statistics): readonly number[] {
    checkResults(this.$label, shape, components!.shape[0]!)
    return [shape[0]!, ...mean!.shape]
  }

  override $example({ mean }: Statistics): readonly number[] {
    return mean!.shape
  }

  override $requirements(statistics: Statistics): Readonly<Record<string, Requirement>> {
    return axesRequirements(statistics)
  }
}
