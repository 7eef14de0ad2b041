// Numbers kept within bounds.

import { rangeError, show } from '../errors.js'
import { native } from '../native/index.js'
import type { Tensor } from '../tensor/tensor.js'
import { unary } from './unary.js'

export interface ClipOptions {
  /** Default −∞. */
  min?: number | undefined
  /** Default ∞. */
  max?: number | undefined
}

/**
 * x kept within [min, max], element by element. Any shape, float. The gradient is dy where min ≤ x ≤ max and 0 elsewhere.
 *
 * Throws a `RangeError` when a bound is NaN or min is above max.
 *
 * @example
 * ```ts
 * import { clip, tensor } from 'ferrograd'
 * console.log(await clip(tensor([-2, 0.5, 2]), { min: -1, max: 1 }).array()) // [ -1, 0.5, 1 ]
 * ```
 */
export function clip(x: Tensor, options: ClipOptions): Tensor {
  const { min = -Infinity, max = Infinity } = options ?? {}
  for (const [name, value] of [
    ['min', min],
    ['max', max],
  ] as const) {
    if (typeof value !== 'number' || Number.isNaN(value)) {
      throw rangeError(`clip: ${name} must be a number. got ${show(value)}`)
    }
  }
  if (min > max) throw rangeError(`clip: min ${min} is above max ${max}`)
  return unary(
    'clip',
    x,
    (x, y) => native.clipForward(x, y, min, max),
    'x',
    (saved, dy, dx) => native.clipBackward(saved, dy, dx, min, max),
  )
}
