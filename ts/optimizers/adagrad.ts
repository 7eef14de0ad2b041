// Adagrad.

import { checkNumber } from '../initializers/options.js'
import { native, type StepBuffers } from '../native/index.js'
import { Optimizer, type OptimizerOptions } from './optimizer.js'

export interface AdagradOptions extends OptimizerOptions {
  /** What the sum of squares starts from. Default 0.1. */
  initialAccumulatorValue?: number | undefined
  /** Keeps divisions finite; above 0. Default 1e-7. */
  epsilon?: number | undefined
}

class Adagrad extends Optimizer {
  override readonly kind = 'adagrad'
  private readonly initialAccumulatorValue: number
  private readonly epsilon: number

  constructor(options: AdagradOptions) {
    const start = checkNumber('adagrad', 'initialAccumulatorValue', options?.initialAccumulatorValue ?? 0.1, 0)
    super('adagrad', options, ['initialAccumulatorValue', 'epsilon'], 0.001, { accumulator: start })
    this.initialAccumulatorValue = start
    this.epsilon = checkNumber('adagrad', 'epsilon', options.epsilon ?? 1e-7, 0, true)
  }

  protected override settings() {
    const { initialAccumulatorValue, epsilon } = this
    return { initialAccumulatorValue, epsilon }
  }

  protected override launch(buffers: StepBuffers, rate: number): void {
    native.adagradStep(buffers, rate, this.epsilon)
  }
}

/**
 * Adagrad: s ← s + g²; w ← w − learningRate · g / √(s + epsilon), as Keras has it (PyTorch adds epsilon to the root).
 *
 * `learningRate` defaults to 0.001.
 *
 * Source: Duchi, Hazan and Singer 2011.
 *
 * @example
 * ```ts
 * import { backward, optimizers, square, tensor, variable } from 'ferrograd'
 * const w = variable(tensor([1]))
 * const optimizer = optimizers.adagrad({ learningRate: 0.1 })
 * optimizer.step(backward(square(w)))
 * console.log((await w.item()) < 1) // true
 * ```
 */
export function adagrad(options: AdagradOptions = {}): Optimizer {
  return new Adagrad(options)
}
