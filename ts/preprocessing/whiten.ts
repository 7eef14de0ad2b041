// PCA whitening.

import { checkNumber, checkOptions } from '../initializers/options.js'
import { add, div, mul, sqrt } from '../ops/index.js'
import { full } from '../tensor/create.js'
import type { Tensor } from '../tensor/tensor.js'
import type { PreprocessingConfig, Statistics } from './preprocessing.js'
import { type ComponentsOptions, Projecting } from './projecting.js'
import { along, back, centred, like, uncentred } from './projection.js'

export interface WhitenOptions extends ComponentsOptions {
  /** Added to every variance before its root divides, so that noise is not blown up. Default 1e-5. */
  epsilon?: number
}

/** What {@link whiten} returns. */
export class Whiten extends Projecting {
  readonly kind = 'whiten'
  readonly epsilon: number

  constructor(options: WhitenOptions = {}) {
    checkOptions('preprocessing.whiten', options, ['epsilon', 'components'])
    super('preprocessing.whiten', options)
    this.epsilon = checkNumber('preprocessing.whiten', 'epsilon', options.epsilon ?? 1e-5, 0)
  }

  override config(): PreprocessingConfig {
    return { epsilon: this.epsilon, ...(this.wanted !== undefined && { components: this.wanted }) }
  }

  override $forward(x: Tensor, statistics: Statistics): Tensor {
    return div(along(centred(x, statistics), statistics), spread(x, statistics, this.epsilon))
  }

  override $backward(y: Tensor, statistics: Statistics): Tensor {
    return uncentred(back(mul(y, spread(y, statistics, this.epsilon)), statistics), statistics)
  }
}

/** @internal √(explainedVariance + epsilon), in the dtype of `x`. */
export function spread(x: Tensor, { explainedVariance }: Statistics, epsilon: number): Tensor {
  return sqrt(add(like(explainedVariance!, x), full([], epsilon, { dtype: x.dtype })))
}

/**
 * PCA whitening: y = (x − mean) · componentsᵀ / √(explainedVariance + epsilon), so that the features of the training data
 * are uncorrelated and, but for epsilon, have variance 1. `[N, …] -> [N, components]`. Components and their number are
 * those of {@link pca}; directions without variance, which nothing could scale to 1, are left out. `inverse` goes back as
 * far as `pca` does.
 *
 * Source: Hotelling 1933; the CS231n notes "Neural Networks Part 2", whose epsilon is the default.
 *
 * @example
 * ```ts
 * import { preprocessing, tensor } from 'ferrograd'
 * const whiten = await preprocessing.whiten({ epsilon: 0 }).fit(tensor([[2, 0], [-2, 0], [0, 1], [0, -1]]))
 * console.log(await whiten.explainedVariance.array()) // [ 2, 0.5 ]
 * const y = await whiten.transform(tensor([[4, 1]])).data()
 * console.log(y.map((v) => Math.round(1000 * v))) // Float32Array(2) [ 2828, 1414 ]
 * ```
 */
export function whiten(options: WhitenOptions = {}): Whiten {
  return new Whiten(options)
}
