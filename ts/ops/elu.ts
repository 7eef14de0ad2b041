// The exponential linear unit.

import { rangeError, show } from '../errors.js'
import { native } from '../native/index.js'
import type { Tensor } from '../tensor/tensor.js'
import { unary } from './unary.js'

export interface EluOptions {
  /** Default 1. */
  alpha?: number | undefined
}

/**
 * The exponential linear unit, y = x where x > 0 and alpha · (eˣ − 1) elsewhere. Any shape, float. `alpha` is a finite number.
 *
 * Source: Clevert, Unterthiner and Hochreiter 2016.
 *
 * @example
 * ```ts
 * import { elu, tensor } from 'ferrograd'
 * console.log(await elu(tensor([-1, 1])).array()) // [ -0.6321205496788025, 1 ]
 * ```
 */
export function elu(x: Tensor, options: EluOptions = {}): Tensor {
  const { alpha = 1 } = options
  if (!Number.isFinite(alpha)) throw rangeError(`elu: alpha must be a finite number. got ${show(alpha)}`)
  return unary(
    'elu',
    x,
    (x, y) => native.eluForward(x, y, alpha),
    'x',
    (saved, dy, dx) => native.eluBackward(saved, dy, dx, alpha),
  )
}
