// What an initializer is: a function from the shape of a weight to its first values.

import type { Tensor } from '../tensor/tensor.js'

/** A dtype that weights can have. */
export type FloatDType = 'float32' | 'float64'

/**
 * Makes the first values of a weight. Those of `initializers` are named by their `kind`; an object of your own needs
 * only `initialize`.
 */
export interface Initializer {
  /** The name in `initializers` that rebuilds it from a file. */
  readonly kind?: string
  /** Values of `shape`. */
  initialize(shape: readonly number[], dtype: FloatDType): Tensor
}

/** @internal Joins the options, which a file keeps, with the function, which it cannot. */
export function initializer(
  kind: string,
  options: object,
  initialize: (shape: readonly number[], dtype: FloatDType) => Tensor,
): Initializer {
  return Object.freeze({ kind, ...options, initialize })
}
