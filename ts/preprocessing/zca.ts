// ZCA whitening: whitened, and turned back so that images still look like themselves.

import { rangeError } from '../errors.js'
import { checkNumber, checkOptions } from '../initializers/options.js'
import { add, div, mul, reshape, sub } from '../ops/index.js'
import { full } from '../tensor/create.js'
import type { Tensor } from '../tensor/tensor.js'
import { Preprocessing, type PreprocessingConfig, type Requirement, type Statistics } from './preprocessing.js'
import { principalAxes } from './principal-axes.js'
import { along, axesRequirements, back, centred, uncentred } from './projection.js'
import { checkSamples, showSamples } from './samples.js'
import { spread } from './whiten.js'

export interface ZcaOptions {
  /** Added to every variance before its root divides, so that noise is not blown up. Default 1e-5. */
  epsilon?: number
}

/** What {@link zca} returns. */
export class Zca extends Preprocessing {
  readonly kind = 'zca'
  readonly epsilon: number

  constructor(options: ZcaOptions = {}) {
    super()
    checkOptions('preprocessing.zca', options, ['epsilon'])
    this.epsilon = checkNumber('preprocessing.zca', 'epsilon', options.epsilon ?? 1e-5, 0)
  }

  override config(): PreprocessingConfig {
    return { epsilon: this.epsilon }
  }

  /** The mean of the training data, of the shape of one sample. */
  get mean(): Tensor {
    return this.$statisticsFor('mean').mean!
  }

  override async $learn(x: Tensor): Promise<Statistics> {
    const { statistics } = await principalAxes(this.$label, x)
    const [rank, features] = statistics.components!.shape as [number, number]
    if (rank < features && this.epsilon === 0) {
      for (const tensor of Object.values(statistics)) tensor.dispose()
      throw rangeError(
        `${this.$label}: the training data vary in only ${rank} of ${features} directions, and with epsilon 0 the others would be divided by 0. x has ${x.shape[0]} samples ${showSamples(x.shape.slice(1))}. use an epsilon above 0`,
      )
    }
    return statistics
  }

  override $outputShape(shape: readonly number[], { mean }: Statistics): readonly number[] {
    checkSamples(this.$label, shape, mean!.shape)
    return shape
  }

  override $inputShape(shape: readonly number[], statistics: Statistics): readonly number[] {
    return this.$outputShape(shape, statistics)
  }

  override $example({ mean }: Statistics): readonly number[] {
    return mean!.shape
  }

  override $forward(x: Tensor, statistics: Statistics): Tensor {
    const rows = centred(x, statistics)
    const one = full([], 1, { dtype: x.dtype })
    const factors = div(one, spread(x, statistics, this.epsilon))
    return reshape(stretched(rows, statistics, factors, 1 / Math.sqrt(this.epsilon)), x.shape)
  }

  override $backward(y: Tensor, statistics: Statistics): Tensor {
    const rows = reshape(y, [y.shape[0]!, statistics.mean!.size])
    const factors = spread(y, statistics, this.epsilon)
    return uncentred(stretched(rows, statistics, factors, Math.sqrt(this.epsilon)), statistics)
  }

  override $requirements(statistics: Statistics): Readonly<Record<string, Requirement>> {
    return axesRequirements(statistics)
  }
}

/** Rows stretched along each axis by its factor, and by `elsewhere` in the directions that have none. */
function stretched(rows: Tensor, statistics: Statistics, factors: Tensor, elsewhere: number): Tensor {
  const [count, features] = statistics.components!.shape
  if (count === features) return back(mul(along(rows, statistics), factors), statistics)
  const rest = full([], elsewhere, { dtype: rows.dtype })
  return add(mul(rows, rest), back(mul(along(rows, statistics), sub(factors, rest)), statistics))
}

/**
 * ZCA whitening: y = (x − mean) · (C + epsilon · I)^(−1/2), where C is the covariance of the training data. Of all ways to
 * whiten, the one whose results stay closest to the samples: whitened images keep their edges. Keeps the shape.
 *
 * (C + epsilon · I)^(−1/2) = Uᵀ diag(1 / √(variance + epsilon)) U with the components U of {@link pca}; directions without
 * variance are divided by √epsilon. The more a variance is above epsilon, the closer it comes to 1. `inverse` undoes it
 * for any sample. Epsilon 0 needs data that vary in all directions. Takes the time and the memory of `pca`.
 *
 * Source: Bell and Sejnowski 1997; Krizhevsky 2009; the CS231n notes "Neural Networks Part 2".
 *
 * @example
 * ```ts
 * import { preprocessing, tensor } from 'ferrograd'
 * const zca = await preprocessing.zca({ epsilon: 0 }).fit(tensor([[2, 0], [-2, 0], [0, 0.5], [0, -0.5]]))
 * const y = zca.transform(tensor([[1, 1]]))
 * console.log((await y.data()).map((v) => Math.round(1000 * v))) // Float32Array(2) [ 707, 2828 ]
 * ```
 */
export function zca(options: ZcaOptions = {}): Zca {
  return new Zca(options)
}
