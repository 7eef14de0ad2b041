// The leaky rectifier.

import { rangeError, show } from '../errors.js'
import { native } from '../native/index.js'
import type { Tensor } from '../tensor/tensor.js'
import { unary } from './unary.js'

export interface LeakyReluOptions {
  /** Default 0.2. */
  alpha?: number | undefined
}

/**
 * The leaky rectifier, y = x where x > 0 and alpha · x elsewhere. Any shape, float. `alpha` is a finite number.
 *
 * Source: Maas, Hannun and Ng 2013.
 *
 * @example
 * ```ts
 * import { leakyRelu, tensor } from 'ferrograd'
 * console.log(await leakyRelu(tensor([-0.5, 1]), { alpha: 0.5 }).array()) // [ -0.25, 1 ]
 * ```
 */
export function leakyRelu(x: Tensor, options: LeakyReluOptions = {}): Tensor {
  const { alpha = 0.2 } = options
  if (!Number.isFinite(alpha)) throw rangeError(`leakyRelu: alpha must be a finite number. got ${show(alpha)}`)
  return unary(
    'leakyRelu',
    x,
    (x, y) => native.leakyReluForward(x, y, alpha),
    'x',
    (saved, dy, dx) => native.leakyReluBackward(saved, dy, dx, alpha),
  )
}
