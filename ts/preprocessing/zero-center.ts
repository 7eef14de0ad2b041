// Taking the mean away.

import { add, cast, sub } from '../ops/index.js'
import { tensor } from '../tensor/create.js'
import { unscoped } from '../tensor/scope.js'
import type { Tensor } from '../tensor/tensor.js'
import { floatDType } from './by-rows.js'
import { momentsOf, statisticsShape } from './moments.js'
import { PerFeature, type PerOptions } from './per-feature.js'
import type { Requirement, Statistics } from './preprocessing.js'

/** What {@link zeroCenter} returns. */
export class ZeroCenter extends PerFeature {
  readonly kind = 'zeroCenter'

  constructor(options: PerOptions = {}) {
    super('preprocessing.zeroCenter', options)
  }

  /** `[height, width, channels]` or `[channels]`. */
  get mean(): Tensor {
    return this.$statisticsFor('mean').mean!
  }

  override async $learn(x: Tensor): Promise<Statistics> {
    const { mean } = await momentsOf(this.$label, x, this.per)
    const options = { shape: statisticsShape(this.per, x.shape), dtype: floatDType(x.dtype) }
    return { mean: unscoped(() => tensor(mean, options)) }
  }

  override $forward(x: Tensor, { mean }: Statistics): Tensor {
    return sub(x, cast(mean!, { dtype: x.dtype }))
  }

  override $backward(y: Tensor, { mean }: Statistics): Tensor {
    return add(y, cast(mean!, { dtype: y.dtype }))
  }

  override $requirements({ mean }: Statistics): Readonly<Record<string, Requirement>> {
    return { mean: { shape: this.shapeLike(mean), positive: false } }
  }
}

/**
 * Takes the mean of the training data away: y = x − mean. `per: 'pixel'` uses a mean image, as AlexNet does, and
 * `per: 'channel'` one number for each channel, as VGG does. Keeps the shape.
 *
 * `fit` takes images `[N, height, width, channels]` or flat `[N, features]`, of float32, float64 or as uint8 pixels,
 * which become float32; means are computed in float64.
 *
 * Source: Krizhevsky, Sutskever and Hinton 2012; Simonyan and Zisserman 2015; the CS231n notes "Neural Networks Part 2".
 *
 * @example
 * ```ts
 * import { preprocessing, tensor } from 'ferrograd'
 * const center = await preprocessing.zeroCenter().fit(tensor([[1, 10], [3, 20]]))
 * console.log(await center.mean.array()) // [ 2, 15 ]
 * const y = center.transform(tensor([[5, 15]]))
 * console.log(await y.array()) // [ [ 3, 0 ] ]
 * console.log(await center.inverse(y).array()) // [ [ 5, 15 ] ]
 * ```
 */
export function zeroCenter(options: PerOptions = {}): ZeroCenter {
  return new ZeroCenter(options)
}
