// Adam with decoupled weight decay.

import { checkNumber } from '../initializers/options.js'
import { native, type StepBuffers } from '../native/index.js'
import { corrected } from './bias-correction.js'
import { Optimizer, type OptimizerOptions } from './optimizer.js'
import { checkShare } from './share.js'

export interface AdamWOptions extends OptimizerOptions {
  /** How slowly the mean of gradients changes, from 0 up to 1. Default 0.9. */
  beta1?: number | undefined
  /** How slowly the mean of squares changes, from 0 up to 1. Default 0.999. */
  beta2?: number | undefined
  /** Keeps divisions finite; above 0. Default 1e-7. */
  epsilon?: number | undefined
  /** Every step takes learningRate · weightDecay of each weight away first. Default 0.004. */
  weightDecay?: number | undefined
}

class AdamW extends Optimizer {
  override readonly kind = 'adamW'
  private readonly beta1: number
  private readonly beta2: number
  private readonly epsilon: number
  private readonly weightDecay: number

  constructor(options: AdamWOptions) {
    super('adamW', options, ['beta1', 'beta2', 'epsilon', 'weightDecay'], 0.001, { m: 0, v: 0 })
    this.beta1 = checkShare('adamW', 'beta1', options.beta1 ?? 0.9)
    this.beta2 = checkShare('adamW', 'beta2', options.beta2 ?? 0.999)
    this.epsilon = checkNumber('adamW', 'epsilon', options.epsilon ?? 1e-7, 0, true)
    this.weightDecay = checkNumber('adamW', 'weightDecay', options.weightDecay ?? 0.004, 0)
  }

  protected override settings() {
    const { beta1, beta2, epsilon, weightDecay } = this
    return { beta1, beta2, epsilon, weightDecay }
  }

  protected override launch(buffers: StepBuffers, rate: number, t: number): void {
    const { beta1, beta2, epsilon, weightDecay } = this
    native.adamStep(buffers, corrected(rate, beta1, beta2, t), beta1, beta2, epsilon, rate * weightDecay)
  }
}

/**
 * Adam with decoupled weight decay: before the step of `adam`, w ← w − learningRate · weightDecay · w.
 *
 * `learningRate` defaults to 0.001.
 *
 * Source: Loshchilov and Hutter 2019.
 *
 * @example
 * ```ts
 * import { backward, optimizers, square, tensor, variable } from 'ferrograd'
 * const w = variable(tensor([1]))
 * const optimizer = optimizers.adamW({ learningRate: 0.1 })
 * optimizer.step(backward(square(w)))
 * console.log((await w.item()) < 1) // true
 * ```
 */
export function adamW(options: AdamWOptions = {}): Optimizer {
  return new AdamW(options)
}
