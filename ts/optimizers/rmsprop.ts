// RMSProp.

import { checkBoolean, checkNumber } from '../initializers/options.js'
import { native, type StepBuffers } from '../native/index.js'
import { Optimizer, type OptimizerOptions } from './optimizer.js'
import { checkShare } from './share.js'

export interface RmsPropOptions extends OptimizerOptions {
  /** How slowly the mean of squares changes, from 0 up to 1. Default 0.9. */
  rho?: number | undefined
  /** The share of the last move that is made again, from 0 up to 1. Default 0. */
  momentum?: number | undefined
  /** Keeps divisions finite; above 0. Default 1e-7. */
  epsilon?: number | undefined
  /** Divide by the deviation from the mean gradient instead. Default false. */
  centered?: boolean | undefined
}

class RmsProp extends Optimizer {
  override readonly kind = 'rmsprop'
  private readonly rho: number
  private readonly momentum: number
  private readonly epsilon: number
  private readonly centered: boolean

  constructor(options: RmsPropOptions) {
    super('rmsprop', options, ['rho', 'momentum', 'epsilon', 'centered'], 0.001, {
      velocity: 0,
      momentum: 0,
      average: 0,
    })
    this.rho = checkShare('rmsprop', 'rho', options.rho ?? 0.9)
    this.momentum = checkShare('rmsprop', 'momentum', options.momentum ?? 0)
    this.epsilon = checkNumber('rmsprop', 'epsilon', options.epsilon ?? 1e-7, 0, true)
    this.centered = checkBoolean('rmsprop', 'centered', options.centered ?? false)
  }

  protected override settings() {
    const { rho, momentum, epsilon, centered } = this
    return { rho, momentum, epsilon, centered }
  }

  protected override launch(buffers: StepBuffers, rate: number): void {
    native.rmspropStep(buffers, rate, this.rho, this.momentum, this.epsilon, this.centered)
  }
}

/**
 * RMSProp: s ← rho · s + (1 − rho) g²; v ← momentum · v + learningRate · g / √(s + epsilon); w ← w − v. With `centered`
 * the squared mean gradient is taken from s first. As Keras has it (PyTorch adds epsilon to the root).
 *
 * `learningRate` defaults to 0.001.
 *
 * Source: Tieleman and Hinton 2012; centered: Graves 2013.
 *
 * @example
 * ```ts
 * import { backward, optimizers, square, tensor, variable } from 'ferrograd'
 * const w = variable(tensor([1]))
 * const optimizer = optimizers.rmsprop({ learningRate: 0.1 })
 * optimizer.step(backward(square(w)))
 * console.log((await w.item()) < 1) // true
 * ```
 */
export function rmsprop(options: RmsPropOptions = {}): Optimizer {
  return new RmsProp(options)
}
