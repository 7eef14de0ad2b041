// Adam with the largest gradient.

import { checkNumber } from '../initializers/options.js'
import { native, type StepBuffers } from '../native/index.js'
import { Optimizer, type OptimizerOptions } from './optimizer.js'
import { checkShare } from './share.js'

export interface AdamaxOptions extends OptimizerOptions {
  /** How slowly the mean of gradients changes, from 0 up to 1. Default 0.9. */
  beta1?: number | undefined
  /** How slowly the mean of squares changes, from 0 up to 1. Default 0.999. */
  beta2?: number | undefined
  /** Keeps divisions finite; above 0. Default 1e-7. */
  epsilon?: number | undefined
}

class Adamax extends Optimizer {
  override readonly kind = 'adamax'
  private readonly beta1: number
  private readonly beta2: number
  private readonly epsilon: number

  constructor(options: AdamaxOptions) {
    super('adamax', options, ['beta1', 'beta2', 'epsilon'], 0.001, { m: 0, u: 0 })
    this.beta1 = checkShare('adamax', 'beta1', options.beta1 ?? 0.9)
    this.beta2 = checkShare('adamax', 'beta2', options.beta2 ?? 0.999)
    this.epsilon = checkNumber('adamax', 'epsilon', options.epsilon ?? 1e-7, 0, true)
  }

  protected override settings() {
    const { beta1, beta2, epsilon } = this
    return { beta1, beta2, epsilon }
  }

  protected override launch(buffers: StepBuffers, rate: number, t: number): void {
    const { beta1, beta2, epsilon } = this
    native.adamaxStep(buffers, rate / (1 - beta1 ** t), beta1, beta2, epsilon)
  }
}

/**
 * Adam with the largest gradient seen lately in place of the mean of squares: m ← beta1 · m + (1 − beta1) g;
 * u ← max(beta2 · u, |g|); w ← w − learningRate / (1 − beta1ᵗ) · m / (u + epsilon).
 *
 * `learningRate` defaults to 0.001.
 *
 * Source: Kingma and Ba 2015, section 7.
 *
 * @example
 * ```ts
 * import { backward, optimizers, square, tensor, variable } from 'ferrograd'
 * const w = variable(tensor([1]))
 * const optimizer = optimizers.adamax({ learningRate: 0.1 })
 * optimizer.step(backward(square(w)))
 * console.log((await w.item()) < 1) // true
 * ```
 */
export function adamax(options: AdamaxOptions = {}): Optimizer {
  return new Adamax(options)
}
