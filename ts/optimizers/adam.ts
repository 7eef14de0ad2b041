// Adam.

import { checkNumber } from '../initializers/options.js'
import { native, type StepBuffers } from '../native/index.js'
import { corrected } from './bias-correction.js'
import { Optimizer, type OptimizerOptions } from './optimizer.js'
import { checkShare } from './share.js'

export interface AdamOptions extends OptimizerOptions {
  /** How slowly the mean of gradients changes, from 0 up to 1. Default 0.9. */
  beta1?: number | undefined
  /** How slowly the mean of squares changes, from 0 up to 1. Default 0.999. */
  beta2?: number | undefined
  /** Keeps divisions finite; above 0. Default 1e-7. */
  epsilon?: number | undefined
}

class Adam extends Optimizer {
  override readonly kind = 'adam'
  private readonly beta1: number
  private readonly beta2: number
  private readonly epsilon: number

  constructor(options: AdamOptions) {
    super('adam', options, ['beta1', 'beta2', 'epsilon'], 0.001, { m: 0, v: 0 })
    this.beta1 = checkShare('adam', 'beta1', options.beta1 ?? 0.9)
    this.beta2 = checkShare('adam', 'beta2', options.beta2 ?? 0.999)
    this.epsilon = checkNumber('adam', 'epsilon', options.epsilon ?? 1e-7, 0, true)
  }

  protected override settings() {
    const { beta1, beta2, epsilon } = this
    return { beta1, beta2, epsilon }
  }

  protected override launch(buffers: StepBuffers, rate: number, t: number): void {
    const { beta1, beta2, epsilon } = this
    native.adamStep(buffers, corrected(rate, beta1, beta2, t), beta1, beta2, epsilon, 0)
  }
}

/**
 * Adam: m ← beta1 · m + (1 − beta1) g; v ← beta2 · v + (1 − beta2) g²; w ← w − rate · m / (√v + epsilon), with the rate
 * of step t corrected for the start: learningRate · √(1 − beta2ᵗ) / (1 − beta1ᵗ). As Keras has it: epsilon is added to
 * the uncorrected root (PyTorch: to the corrected one).
 *
 * `learningRate` defaults to 0.001.
 *
 * Source: Kingma and Ba 2015.
 *
 * @example
 * ```ts
 * import { backward, optimizers, square, tensor, variable } from 'ferrograd'
 * const w = variable(tensor([1]))
 * const optimizer = optimizers.adam({ learningRate: 0.1 })
 * optimizer.step(backward(square(w)))
 * console.log((await w.item()) < 1) // true
 * ```
 */
export function adam(options: AdamOptions = {}): Optimizer {
  return new Adam(options)
}
