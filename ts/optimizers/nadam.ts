// Adam with Nesterov's look ahead.

import { checkNumber } from '../initializers/options.js'
import { native, type StepBuffers } from '../native/index.js'
import { Optimizer, type OptimizerOptions } from './optimizer.js'
import { checkShare } from './share.js'

export interface NadamOptions extends OptimizerOptions {
  /** How slowly the mean of gradients changes, from 0 up to 1. Default 0.9. */
  beta1?: number | undefined
  /** How slowly the mean of squares changes, from 0 up to 1. Default 0.999. */
  beta2?: number | undefined
  /** Keeps divisions finite; above 0. Default 1e-7. */
  epsilon?: number | undefined
}

class Nadam extends Optimizer {
  override readonly kind = 'nadam'
  private readonly beta1: number
  private readonly beta2: number
  private readonly epsilon: number

  private product = 1
  private counted = 0

  constructor(options: NadamOptions) {
    super('nadam', options, ['beta1', 'beta2', 'epsilon'], 0.001, { m: 0, v: 0 })
    this.beta1 = checkShare('nadam', 'beta1', options.beta1 ?? 0.9)
    this.beta2 = checkShare('nadam', 'beta2', options.beta2 ?? 0.999)
    this.epsilon = checkNumber('nadam', 'epsilon', options.epsilon ?? 1e-7, 0, true)
  }

  protected override settings() {
    const { beta1, beta2, epsilon } = this
    return { beta1, beta2, epsilon }
  }

  protected override launch(buffers: StepBuffers, rate: number, t: number): void {
    const { beta1, beta2, epsilon } = this
    // The product of all decays so far: multiplied on, or anew when a load has gone back.
    if (this.counted > t) {
      this.counted = 0
      this.product = 1
    }
    // Below 2^-60 it is lost beside 1, and no more is counted, however many steps a loaded state claims.
    for (; this.counted < t && this.product > 2 ** -60; this.counted++) this.product *= decayAt(beta1, this.counted + 1)
    this.counted = t
    const [now, next] = [decayAt(beta1, t), decayAt(beta1, t + 1)]
    native.nadamStep(
      ...([buffers, rate, (1 - now) / (1 - this.product), next / (1 - this.product * next)] as const),
      ...([1 / (1 - beta2 ** t), beta1, beta2, epsilon] as const),
    )
  }
}

/** How much of the first moment step t keeps. */
function decayAt(beta1: number, t: number): number {
  return beta1 * (1 - 0.5 * 0.96 ** t)
}

/**
 * Adam with Nesterov's look ahead. With uₜ = beta1 · (1 − ½ · 0.96ᵗ) and Pₜ = u₁ · … · uₜ, the step is
 * learningRate · (uₜ₊₁ m / (1 − Pₜ uₜ₊₁) + (1 − uₜ) g / (1 − Pₜ)) / (√(v / (1 − beta2ᵗ)) + epsilon).
 *
 * `learningRate` defaults to 0.001.
 *
 * Source: Dozat 2016.
 *
 * @example
 * ```ts
 * import { backward, optimizers, square, tensor, variable } from 'ferrograd'
 * const w = variable(tensor([1]))
 * const optimizer = optimizers.nadam({ learningRate: 0.1 })
 * optimizer.step(backward(square(w)))
 * console.log((await w.item()) < 1) // true
 * ```
 */
export function nadam(options: NadamOptions = {}): Optimizer {
  return new Nadam(options)
}
