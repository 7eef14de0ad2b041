// Normalisation of each example's features.

import { checkBoolean, checkNumber, checkOptions } from '../initializers/options.js'
import { type InitializerOption, resolveInitializer } from '../initializers/resolve.js'
import { layerNorm as normalised } from '../ops/index.js'
import type { Tensor } from '../tensor/tensor.js'
import type { Variable } from '../tensor/variable.js'
import { Layer, type LayerOptions } from './layer.js'
import { checkSingle, exampleSize, isShape, knownSize, type Shape } from './shape.js'

export interface LayerNormOptions extends LayerOptions {
  /** Added to the variance, so that constant features divide by something. Default 1e-3. */
  epsilon?: number
  /** Whether there is a factor gamma. Default true. */
  scale?: boolean
  /** Whether there is an offset beta. Default true. */
  center?: boolean
  /** Default 'ones'. */
  gammaInitializer?: InitializerOption
  /** Default 'zeros'. */
  betaInitializer?: InitializerOption
}

export class LayerNorm extends Layer {
  readonly epsilon: number
  private readonly settings: { scale: boolean; center: boolean; gamma: InitializerOption; beta: InitializerOption }
  private gamma: Variable | undefined
  private beta: Variable | undefined

  constructor(options: LayerNormOptions = {}) {
    checkOptions('layerNorm', options, [
      'name',
      'trainable',
      'inputShape',
      'epsilon',
      'scale',
      'center',
      'gammaInitializer',
      'betaInitializer',
    ])
    super(options)
    this.epsilon = checkNumber(this.$label, 'epsilon', options.epsilon ?? 1e-3, 0, true)
    this.settings = {
      scale: checkBoolean(this.$label, 'scale', options.scale ?? true),
      center: checkBoolean(this.$label, 'center', options.center ?? true),
      gamma: resolveInitializer(this.$label, 'gammaInitializer', options.gammaInitializer ?? 'ones'),
      beta: resolveInitializer(this.$label, 'betaInitializer', options.betaInitializer ?? 'zeros'),
    }
  }

  override get kind(): string {
    return 'layerNorm'
  }

  override build(inputShape: Shape | readonly Shape[]): void {
    const features = knownSize(this.$label, checkSingle(this.$label, inputShape), -1)
    const { scale, center, gamma, beta } = this.settings
    if (scale) this.gamma = this.addWeight('gamma', [features], gamma)
    if (center) this.beta = this.addWeight('beta', [features], beta)
  }

  override forward(x: Tensor): Tensor {
    return normalised(x, { gamma: this.gamma, beta: this.beta, epsilon: this.epsilon })
  }

  protected override reusable(built: Shape, other: Shape | readonly Shape[]): boolean {
    return isShape(other) && other.at(-1) === built.at(-1)
  }

  override flops(inputShape: Shape): number | undefined {
    const size = exampleSize(inputShape)
    return size === undefined ? undefined : 8 * size
  }
}

/**
 * Brings the features of each example, its last axis, to mean 0 and variance 1, then y = gamma · x + beta. Keeps the
 * shape. Source: Ba, Kiros and Hinton 2016.
 */
export function layerNorm(options: LayerNormOptions = {}): LayerNorm {
  return new LayerNorm(options)
}
