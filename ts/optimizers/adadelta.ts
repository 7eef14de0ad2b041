// Adadelta.

import { checkNumber } from '../initializers/options.js'
import { native, type StepBuffers } from '../native/index.js'
import { Optimizer, type OptimizerOptions } from './optimizer.js'
import { checkShare } from './share.js'

export interface AdadeltaOptions extends OptimizerOptions {
  /** How slowly both means change, from 0 up to 1. Default 0.95. */
  rho?: number | undefined
  /** Keeps divisions finite; above 0. Default 1e-7. */
  epsilon?: number | undefined
}

class Adadelta extends Optimizer {
  override readonly kind = 'adadelta'
  private readonly rho: number
  private readonly epsilon: number

  constructor(options: AdadeltaOptions) {
    super('adadelta', options, ['rho', 'epsilon'], 0.001, { accumulator: 0, accumulatedDelta: 0 })
    this.rho = checkShare('adadelta', 'rho', options.rho ?? 0.95)
    this.epsilon = checkNumber('adadelta', 'epsilon', options.epsilon ?? 1e-7, 0, true)
  }

  protected override settings() {
    const { rho, epsilon } = this
    return { rho, epsilon }
  }

  protected override launch(buffers: StepBuffers, rate: number): void {
    native.adadeltaStep(buffers, rate, this.rho, this.epsilon)
  }
}

/**
 * Adadelta: s ← rho · s + (1 − rho) g²; d = −g √(m + epsilon) / √(s + epsilon); m ← rho · m + (1 − rho) d²;
 * w ← w + learningRate · d.
 *
 * `learningRate` defaults to 0.001.
 *
 * Source: Zeiler 2012.
 *
 * @example
 * ```ts
 * import { backward, optimizers, square, tensor, variable } from 'ferrograd'
 * const w = variable(tensor([1]))
 * const optimizer = optimizers.adadelta({ learningRate: 0.1 })
 * optimizer.step(backward(square(w)))
 * console.log((await w.item()) < 1) // true
 * ```
 */
export function adadelta(options: AdadeltaOptions = {}): Optimizer {
  return new Adadelta(options)
}
