// Taking the mean away and dividing by the standard deviation.

import { ShapeError } from '../errors.js'
import { add, cast, div, mul, sub } from '../ops/index.js'
import { tensor } from '../tensor/create.js'
import { unscoped } from '../tensor/scope.js'
import { showShape, sizeOf } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { floatDType } from './by-rows.js'
import { momentsOf, statisticsShape } from './moments.js'
import { PerFeature, type PerOptions } from './per-feature.js'
import type { Requirement, Statistics } from './preprocessing.js'

/** What {@link standardize} returns. */
export class Standardize extends PerFeature {
  readonly kind = 'standardize'

  constructor(options: PerOptions = {}) {
    super('preprocessing.standardize', options)
  }

  /** `[height, width, channels]` or `[channels]`. */
  get mean(): Tensor {
    return this.$statisticsFor('mean').mean!
  }

  /** What is divided by: the population's standard deviation, of the shape of `mean`; 1 for a constant feature. */
  get stdDev(): Tensor {
    return this.$statisticsFor('stdDev').stdDev!
  }

  override async $learn(x: Tensor): Promise<Statistics> {
    const shape = statisticsShape(this.per, x.shape)
    if (x.size / sizeOf(shape) < 2) {
      throw new ShapeError(
        `${this.$label}: a standard deviation needs at least 2 values for each ${this.per}. x has shape ${showShape(x.shape)}`,
      )
    }
    const { mean, variance } = await momentsOf(this.$label, x, this.per)
    const dtype = floatDType(x.dtype)
    // A deviation that the dtype cannot tell from 0 is none.
    const stdDev = variance.map((v) => (dtype === 'float32' ? Math.fround(Math.sqrt(v)) : Math.sqrt(v)) || 1)
    return unscoped(() => ({ mean: tensor(mean, { shape, dtype }), stdDev: tensor(stdDev, { shape, dtype }) }))
  }

  override $forward(x: Tensor, { mean, stdDev }: Statistics): Tensor {
    const { dtype } = x
    return div(sub(x, cast(mean!, { dtype })), cast(stdDev!, { dtype }))
  }

  override $backward(y: Tensor, { mean, stdDev }: Statistics): Tensor {
    const { dtype } = y
    return add(mul(y, cast(stdDev!, { dtype })), cast(mean!, { dtype }))
  }

  override $requirements({ mean }: Statistics): Readonly<Record<string, Requirement>> {
    const shape = this.shapeLike(mean)
    return { mean: { shape, positive: false }, stdDev: { shape, positive: true } }
  }
}

/**
 * Gives every pixel, or every channel, mean 0 and standard deviation 1 over the training data:
 * y = (x − mean) / stdDev. Keeps the shape.
 *
 * A feature that is constant in the training data has no spread to divide by: it is only centred, so it becomes 0, and
 * what differs from it in later data keeps its size. The standard deviation is the population's (divided by N).
 * `fit` takes what {@link zeroCenter} takes, with at least 2 values for each statistic.
 *
 * Source: the CS231n notes "Neural Networks Part 2"; LeCun, Bottou, Orr and Müller 1998.
 *
 * @example
 * ```ts
 * import { preprocessing, tensor } from 'ferrograd'
 * const scale = await preprocessing.standardize().fit(tensor([[1, 7], [5, 7]]))
 * console.log(await scale.stdDev.array()) // [ 2, 1 ]
 * console.log(await scale.transform(tensor([[7, 8]])).array()) // [ [ 2, 1 ] ]
 * ```
 */
export function standardize(options: PerOptions = {}): Standardize {
  return new Standardize(options)
}
