// Lion.

import { checkNumber } from '../initializers/options.js'
import { native, type StepBuffers } from '../native/index.js'
import { Optimizer, type OptimizerOptions } from './optimizer.js'
import { checkShare } from './share.js'

export interface LionOptions extends OptimizerOptions {
  /** The share of the remembered gradient in the direction of a step, from 0 up to 1. Default 0.9. */
  beta1?: number | undefined
  /** How slowly the remembered gradient changes, from 0 up to 1. Default 0.99. */
  beta2?: number | undefined
  /** Every step takes learningRate · weightDecay of each weight away first. Default 0. */
  weightDecay?: number | undefined
}

class Lion extends Optimizer {
  override readonly kind = 'lion'
  private readonly beta1: number
  private readonly beta2: number
  private readonly weightDecay: number

  constructor(options: LionOptions) {
    super('lion', options, ['beta1', 'beta2', 'weightDecay'], 0.001, { m: 0 })
    this.beta1 = checkShare('lion', 'beta1', options.beta1 ?? 0.9)
    this.beta2 = checkShare('lion', 'beta2', options.beta2 ?? 0.99)
    this.weightDecay = checkNumber('lion', 'weightDecay', options.weightDecay ?? 0, 0)
  }

  protected override settings() {
    const { beta1, beta2, weightDecay } = this
    return { beta1, beta2, weightDecay }
  }

  protected override launch(buffers: StepBuffers, rate: number): void {
    native.lionStep(buffers, rate, this.beta1, this.beta2, rate * this.weightDecay)
  }
}

/**
 * Lion: w ← w − learningRate · sign(beta1 · m + (1 − beta1) g); m ← beta2 · m + (1 − beta2) g.
 *
 * `learningRate` defaults to 0.001.
 *
 * Source: Chen et al. 2023.
 *
 * @example
 * ```ts
 * import { backward, optimizers, square, tensor, variable } from 'ferrograd'
 * const w = variable(tensor([1]))
 * const optimizer = optimizers.lion({ learningRate: 0.1 })
 * optimizer.step(backward(square(w)))
 * console.log((await w.item()) < 1) // true
 * ```
 */
export function lion(options: LionOptions = {}): Optimizer {
  return new Lion(options)
}
