// Stochastic gradient descent.

import { typeError } from '../errors.js'
import { checkBoolean, checkNumber } from '../initializers/options.js'
import { native, type StepBuffers } from '../native/index.js'
import { Optimizer, type OptimizerOptions } from './optimizer.js'
import { checkShare } from './share.js'

export interface SgdOptions extends OptimizerOptions {
  /** The share of the last move that is made again, from 0 up to 1. Default 0. */
  momentum?: number | undefined
  /** Look ahead along the momentum. Default false; needs momentum. */
  nesterov?: boolean | undefined
  /** Every step takes learningRate · weightDecay of each weight away, apart from the gradient. Default 0. */
  weightDecay?: number | undefined
}

class Sgd extends Optimizer {
  override readonly kind = 'sgd'
  private readonly momentum: number
  private readonly nesterov: boolean
  private readonly weightDecay: number

  constructor(options: SgdOptions) {
    const momentum = checkShare('sgd', 'momentum', options?.momentum ?? 0)
    super('sgd', options, ['momentum', 'nesterov', 'weightDecay'], 0.01, momentum > 0 ? { momentum: 0 } : {})
    this.momentum = momentum
    this.nesterov = checkBoolean('sgd', 'nesterov', options.nesterov ?? false)
    this.weightDecay = checkNumber('sgd', 'weightDecay', options.weightDecay ?? 0, 0)
    if (this.nesterov && momentum === 0) {
      throw typeError('sgd: nesterov looks ahead along the momentum, but momentum is 0. give momentum, such as 0.9')
    }
  }

  protected override settings() {
    const { momentum, nesterov, weightDecay } = this
    return { momentum, nesterov, weightDecay }
  }

  protected override launch(buffers: StepBuffers, rate: number): void {
    if (this.momentum === 0) native.plainSgdStep(buffers, rate, this.weightDecay)
    else native.sgdStep(buffers, rate, this.momentum, this.nesterov, this.weightDecay)
  }
}

/**
 * Stochastic gradient descent: w ← w − learningRate · g. With momentum v ← momentum · v − learningRate · g and w ← w + v,
 * or with `nesterov` w ← w + momentum · v − learningRate · g. `weightDecay` is decoupled.
 *
 * `learningRate` defaults to 0.01.
 *
 * Source: Robbins and Monro 1951; momentum: Polyak 1964; nesterov: Sutskever et al. 2013.
 *
 * @example
 * ```ts
 * import { backward, optimizers, square, tensor, variable } from 'ferrograd'
 * const w = variable(tensor([1]))
 * const optimizer = optimizers.sgd({ learningRate: 0.25 })
 * optimizer.step(backward(square(w)))
 * console.log(await w.item()) // 0.5
 * ```
 */
export function sgd(options: SgdOptions = {}): Optimizer {
  return new Sgd(options)
}
