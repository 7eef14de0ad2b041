// Principal component analysis.

import { checkOptions } from '../initializers/options.js'
import { tensor } from '../tensor/create.js'
import { unscoped } from '../tensor/scope.js'
import type { Tensor } from '../tensor/tensor.js'
import type { PreprocessingConfig, Requirement, Statistics } from './preprocessing.js'
import { principalAxes } from './principal-axes.js'
import { type ComponentsOptions, Projecting } from './projecting.js'
import { along, axesRequirements, back, centred, uncentred } from './projection.js'

/** What {@link pca} returns. */
export class Pca extends Projecting {
  readonly kind = 'pca'

  constructor(options: ComponentsOptions = {}) {
    checkOptions('preprocessing.pca', options, ['components'])
    super('preprocessing.pca', options)
  }

  override config(): PreprocessingConfig {
    return { ...(this.wanted !== undefined && { components: this.wanted }) }
  }

  /** `[components]`: the share of each in the variance of all. */
  get explainedVarianceRatio(): Tensor {
    return this.$statisticsFor('explainedVarianceRatio').explainedVarianceRatio!
  }

  /** `[components]`: the singular values of the centred training data, √(N · explainedVariance). */
  get singularValues(): Tensor {
    return this.$statisticsFor('singularValues').singularValues!
  }

  override async $learn(x: Tensor): Promise<Statistics> {
    const { statistics, variances, total } = await principalAxes(this.$label, x, this.wanted)
    const { dtype } = statistics.mean!
    return unscoped(() => ({
      ...statistics,
      explainedVarianceRatio: tensor(
        variances.map((v) => v / total),
        { dtype },
      ),
      singularValues: tensor(
        variances.map((v) => Math.sqrt(v * x.shape[0]!)),
        { dtype },
      ),
    }))
  }

  override $forward(x: Tensor, statistics: Statistics): Tensor {
    return along(centred(x, statistics), statistics)
  }

  override $backward(y: Tensor, statistics: Statistics): Tensor {
    return uncentred(back(y, statistics), statistics)
  }

  override $requirements(statistics: Statistics): Readonly<Record<string, Requirement>> {
    const required = axesRequirements(statistics)
    const { explainedVariance } = required
    return { ...required, explainedVarianceRatio: explainedVariance!, singularValues: explainedVariance! }
  }
}

/**
 * Principal component analysis: y = (x − mean) · componentsᵀ, the data turned so that its features are uncorrelated and
 * the first vary most. `[N, …] -> [N, components]`. `inverse` gives back the nearest sample that these components can
 * express: with all of them that is `x`, but for directions along which the training data did not vary.
 *
 * The components are the eigenvectors of the covariance Σ (x − mean)(x − mean)ᵀ / N, computed in float64; with fewer
 * samples than features, the singular vectors of the data. At most min(N − 1, features) exist, fewer where data repeat
 * themselves; asking for more is a `RangeError`. A variance below max(N, features) · 2⁻⁵² of the largest counts as none.
 * Takes time cubic and memory quadratic in the number of features: 3,072 take seconds. `fit` needs 2 samples.
 *
 * Source: Pearson 1901; Hotelling 1933; the CS231n notes "Neural Networks Part 2".
 *
 * @example
 * ```ts
 * import { preprocessing, tensor } from 'ferrograd'
 * const pca = await preprocessing.pca({ components: 1 }).fit(tensor([[0, 0], [4, 3], [8, 6]]))
 * console.log(await pca.transform(tensor([[8, 6]])).array()) // [ [ 5 ] ]
 * console.log(await pca.explainedVarianceRatio.array()) // [ 1 ]
 * ```
 */
export function pca(options: ComponentsOptions = {}): Pca {
  return new Pca(options)
}
