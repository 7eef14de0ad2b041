// Fixed statistics in front of a model.

import { noGrad } from '../autograd/record.js'
import { ShapeError, show, typeError } from '../errors.js'
import { checkNumber, checkOptions } from '../initializers/options.js'
import { cast, div, maximum, mean, sqrt, sub, variance } from '../ops/index.js'
import { pixels } from '../ops/pixels.js'
import { full, tensor } from '../tensor/create.js'
import { isFloat } from '../tensor/dtype.js'
import { scope } from '../tensor/scope.js'
import { checkTensor, type Tensor } from '../tensor/tensor.js'
import type { Variable } from '../tensor/variable.js'
import { Layer, type LayerOptions } from './layer.js'
import { checkSingle, exampleSize, isShape, knownSize, type Shape } from './shape.js'

export interface NormalizationOptions extends LayerOptions {
  /** Of each feature. Without it and `variance`, `adapt` takes both from data. */
  mean?: number | readonly number[]
  /** Of each feature, the population's. */
  variance?: number | readonly number[]
}

export class Normalization extends Layer {
  private readonly statistics: { mean: number | readonly number[]; variance: number | readonly number[] } | undefined
  private mean!: Variable
  private variance!: Variable

  constructor(options: NormalizationOptions = {}) {
    checkOptions('normalization', options, ['name', 'trainable', 'inputShape', 'mean', 'variance'])
    super(options)
    const { mean, variance } = options
    if ((mean === undefined) !== (variance === undefined)) {
      throw typeError(
        `${this.$label}: mean and variance belong together. got only ${mean === undefined ? 'variance' : 'mean'}`,
      )
    }
    if (mean === undefined || variance === undefined) return
    this.statistics = {
      mean: checkFeatures(this.$label, 'mean', mean),
      variance: checkFeatures(this.$label, 'variance', variance, 0),
    }
  }

  override get kind(): string {
    return 'normalization'
  }

  override build(inputShape: Shape | readonly Shape[]): void {
    const features = knownSize(this.$label, checkSingle(this.$label, inputShape), -1)
    const constant = (name: 'mean' | 'variance', fallback: number) => ({
      initialize: (shape: readonly number[], dtype: 'float32' | 'float64') => {
        const value = this.statistics?.[name] ?? fallback
        if (typeof value === 'number') return full(shape, value, { dtype })
        if (value.length !== features) {
          throw new ShapeError(
            `${this.$label}: ${name} must have one number for each of ${features} features. got ${value.length}`,
          )
        }
        return tensor([...value], { dtype })
      },
    })
    this.mean = this.addWeight('mean', [features], constant('mean', 0), { trainable: false })
    this.variance = this.addWeight('variance', [features], constant('variance', 1), { trainable: false })
  }

  /** Takes mean and variance of each feature from `data`, `[N, …, features]`, in place of those it had. */
  adapt(data: Tensor): void {
    checkTensor(this.$label, 'data', data)
    if (data.size === 0) throw new ShapeError(`${this.$label}: adapt needs data. got shape ${show([...data.shape])}`)
    this.$prepare([null, ...data.shape.slice(1)], this.$dtypeFor([data]))
    const axis = data.shape.slice(0, -1).map((_, i) => i)
    scope(() =>
      noGrad(() => {
        const floats = this.asFloat(data)
        this.mean.assign(mean(floats, { axis }))
        this.variance.assign(variance(floats, { axis }))
      }),
    )
  }

  /** Integers become what the weights are, pixels from 0 to 1. */
  private asFloat(x: Tensor): Tensor {
    if (x.dtype === 'uint8') return pixels(x, undefined, this.dtype)
    return isFloat(x.dtype) ? x : cast(x, { dtype: this.dtype })
  }

  override forward(x: Tensor): Tensor {
    const spread = maximum(sqrt(this.variance), full([], 1e-7, { dtype: this.dtype }))
    return div(sub(this.asFloat(x), this.mean), spread)
  }

  protected override reusable(built: Shape, other: Shape | readonly Shape[]): boolean {
    return isShape(other) && other.at(-1) === built.at(-1)
  }

  override flops(inputShape: Shape): number | undefined {
    const size = exampleSize(inputShape)
    return size === undefined ? undefined : 2 * size
  }
}

function checkFeatures(
  label: string,
  name: string,
  value: number | readonly number[],
  min = -Infinity,
): number | readonly number[] {
  if (typeof value === 'number') return checkNumber(label, name, value, min)
  if (!Array.isArray(value))
    throw typeError(`${label}: ${name} must be a number or an array of them. got ${show(value)}`)
  return value.map((item: unknown, i) => checkNumber(label, `${name}[${i}]`, item, min))
}

/**
 * y = (x − mean) / √variance for each feature of the last axis, with statistics that are given or come from `adapt`, and
 * that training does not change. Keeps the shape; integers become float32. uint8 are pixels: x is then the
 * pixel / 255, in `adapt` too.
 *
 * @example
 * ```ts
 * import { layers, tensor } from 'ferrograd'
 * const normalization = layers.normalization()
 * normalization.adapt(tensor([[1], [3]]))
 * console.log(await normalization.apply(tensor([[5]])).array()) // [ [ 3 ] ]
 * ```
 */
export function normalization(options: NormalizationOptions = {}): Normalization {
  return new Normalization(options)
}
