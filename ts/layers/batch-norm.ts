// Normalisation of each channel over the batch.

import { rangeError, ShapeError, show } from '../errors.js'
import { checkBoolean, checkNumber, checkOptions } from '../initializers/options.js'
import { type InitializerOption, resolveInitializer } from '../initializers/resolve.js'
import { batchNorm as normalised, trainBatchNorm } from '../ops/batch-norm.js'
import { type RegularizerOption, resolveRegularizer } from '../regularizers/regularizer.js'
import type { Tensor } from '../tensor/tensor.js'
import type { Variable } from '../tensor/variable.js'
import { Layer, type LayerOptions } from './layer.js'
import { checkSingle, exampleSize, isShape, knownSize, type Shape, showFree } from './shape.js'

export interface BatchNormOptions extends LayerOptions {
  /** Which share of the running statistics a training step keeps, from 0 to 1. Default 0.99. */
  momentum?: number
  /** Added to the variance. Default 1e-3. */
  epsilon?: number
  /** Whether there is a factor gamma that learns. Default true. */
  scale?: boolean
  /** Whether there is an offset beta that learns. Default true. */
  center?: boolean
  /** Default 'ones'. */
  gammaInitializer?: InitializerOption
  /** Default 'zeros'. */
  betaInitializer?: InitializerOption
  /** Default 'zeros'. */
  movingMeanInitializer?: InitializerOption
  /** Default 'ones'. */
  movingVarianceInitializer?: InitializerOption
  gammaRegularizer?: RegularizerOption
  betaRegularizer?: RegularizerOption
}

export class BatchNorm extends Layer {
  readonly momentum: number
  readonly epsilon: number
  readonly scale: boolean
  readonly center: boolean
  private readonly start: Readonly<Record<'gamma' | 'beta' | 'mean' | 'variance', InitializerOption>>
  private readonly penalties: Readonly<Record<'gamma' | 'beta', RegularizerOption | undefined>>
  private gamma: Variable | undefined
  private beta: Variable | undefined
  private mean!: Variable
  private variance!: Variable

  constructor(options: BatchNormOptions = {}) {
    checkOptions('batchNorm', options, [
      'name',
      'trainable',
      'inputShape',
      'momentum',
      'epsilon',
      'scale',
      'center',
      'gammaInitializer',
      'betaInitializer',
      'movingMeanInitializer',
      'movingVarianceInitializer',
      'gammaRegularizer',
      'betaRegularizer',
    ])
    super(options)
    this.momentum = checkNumber(this.$label, 'momentum', options.momentum ?? 0.99, 0)
    if (this.momentum > 1) throw rangeError(`${this.$label}: momentum must be from 0 to 1. got ${show(this.momentum)}`)
    this.epsilon = checkNumber(this.$label, 'epsilon', options.epsilon ?? 1e-3, 0, true)
    this.scale = checkBoolean(this.$label, 'scale', options.scale ?? true)
    this.center = checkBoolean(this.$label, 'center', options.center ?? true)
    const initializerOf = (name: keyof BatchNormOptions, fallback: InitializerOption) =>
      resolveInitializer(this.$label, name, options[name] ?? fallback)
    this.start = {
      gamma: initializerOf('gammaInitializer', 'ones'),
      beta: initializerOf('betaInitializer', 'zeros'),
      mean: initializerOf('movingMeanInitializer', 'zeros'),
      variance: initializerOf('movingVarianceInitializer', 'ones'),
    }
    const { gammaRegularizer, betaRegularizer } = options
    this.penalties = {
      gamma: gammaRegularizer && resolveRegularizer(this.$label, 'gammaRegularizer', gammaRegularizer),
      beta: betaRegularizer && resolveRegularizer(this.$label, 'betaRegularizer', betaRegularizer),
    }
  }

  override get kind(): string {
    return 'batchNorm'
  }

  override build(inputShape: Shape | readonly Shape[]): void {
    const shape = checkSingle(this.$label, inputShape)
    if (shape.length < 2) {
      throw new ShapeError(`${this.$label}: the input must have a batch and channels. got ${showFree(shape)}`)
    }
    const channels = [knownSize(this.$label, shape, -1)]
    const { gamma, beta, mean, variance } = this.start
    if (this.scale) this.gamma = this.addWeight('gamma', channels, gamma, { regularizer: this.penalties.gamma })
    if (this.center) this.beta = this.addWeight('beta', channels, beta, { regularizer: this.penalties.beta })
    this.mean = this.addWeight('mean', channels, mean, { trainable: false })
    this.variance = this.addWeight('variance', channels, variance, { trainable: false })
  }

  override forward(x: Tensor, { training }: { training: boolean }): Tensor {
    const { gamma, beta, mean, variance, epsilon, momentum } = this
    // A frozen layer is a fixed function, whatever the batch.
    if (!training || !this.trainable) return normalised(x, { gamma, beta, mean, variance, epsilon })
    return trainBatchNorm(x, { gamma, beta, epsilon }, { mean, variance, momentum })
  }

  protected override reusable(built: Shape, other: Shape | readonly Shape[]): boolean {
    return isShape(other) && other.length >= 2 && other.at(-1) === built.at(-1)
  }

  override flops(inputShape: Shape): number | undefined {
    const size = exampleSize(inputShape)
    return size === undefined ? undefined : 2 * size
  }
}

/**
 * Brings each channel to mean 0 and variance 1, then y = gamma · x + beta: `[N, …, C] -> [N, …, C]`, behind dense layers (over the
 * batch) and convolutions (over batch, rows and columns). While training, mean and variance are the batch's, and the
 * running ones follow them; otherwise they are the running ones. Its weights are gamma, beta, mean and variance, each `[C]`.
 *
 * A frozen layer (`trainable` false) is a fixed function, as in Keras: it uses the running statistics and leaves them
 * alone in training too.
 *
 * Conventions differ on the running statistics r, given those b of a batch of n numbers a channel:
 *
 * | | update | variance in b | r begins with |
 * | --- | --- | --- | --- |
 * | here and Keras | r ← momentum · r + (1 − momentum) · b, momentum 0.99 | the population's, Σ(x − mean)² / n | mean 0, variance 1 |
 * | PyTorch | r ← (1 − momentum) · r + momentum · b, momentum 0.1 | the sample's, … / (n − 1) | mean 0, variance 1 |
 * | CS231n | r ← momentum · r + (1 − momentum) · b, momentum 0.9 | the population's | mean 0, variance 0 |
 *
 * So `momentum: 0.9, epsilon: 1e-5` are PyTorch's defaults but for the factor n / (n − 1), and with
 * `movingVarianceInitializer: 'zeros'` they are the course's.
 *
 * Source: Ioffe and Szegedy 2015.
 *
 * @example
 * ```ts
 * import { layers, sequential } from 'ferrograd'
 * const model = sequential({ inputShape: [8, 8, 16], layers: [layers.batchNorm()] })
 * console.log(model.weights.length, model.trainableWeights.length) // 4 2
 * ```
 */
export function batchNorm(options: BatchNormOptions = {}): BatchNorm {
  return new BatchNorm(options)
}
