// Limits on weights, restored after every step of the optimizer.

import { show, typeError } from '../errors.js'
import { checkNumber, checkOptions, oneOf } from '../initializers/options.js'
import { div, maximum, minimum, mul, sqrt, square, sum } from '../ops/index.js'
import { full } from '../tensor/create.js'
import { checkAxis } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'

/** A limit on a weight. Those of `constraints` are named by their `kind`; your own needs only `constrain`. */
export interface Constraint {
  /** The name in `constraints` that rebuilds it from a file. */
  readonly kind?: string
  /** The weight as it should be, of the same shape. */
  constrain(weight: Tensor): Tensor
}

/** A name, what one of `constraints` returns, or an object of your own. */
export type ConstraintOption = keyof typeof factories | Constraint

export interface MaxNormOptions {
  /** Default 2. */
  maxValue?: number
  /** The axes that a norm is taken over. Default: all but the last, so that every unit or filter has its own norm. */
  axis?: number | readonly number[]
}

/**
 * Shrinks the weights of a unit whose Euclidean norm exceeds `maxValue` to exactly that norm. Source: Srebro and
 * Shraibman 2005; with dropout, Srivastava et al. 2014.
 *
 * @example
 * ```ts
 * import { constraints, layers } from 'ferrograd'
 * const layer = layers.dense({ units: 10, kernelConstraint: constraints.maxNorm({ maxValue: 3 }) })
 * console.log(layer.kind) // dense
 * ```
 */
export function maxNorm(options: MaxNormOptions = {}): Constraint {
  const op = 'constraints.maxNorm'
  checkOptions(op, options, ['maxValue', 'axis'])
  const { maxValue = 2, axis } = options
  checkNumber(op, 'maxValue', maxValue, 0, true)
  const given = typeof axis === 'number' ? [axis] : axis
  if (given !== undefined && !Array.isArray(given)) {
    throw typeError(`${op}: axis must be a whole number or an array of them. got ${show(axis)}`)
  }
  return Object.freeze({
    kind: 'maxNorm',
    maxValue,
    ...(axis !== undefined && { axis }),
    constrain(w: Tensor) {
      const axes = given?.map((a: number) => checkAxis(op, a, w.shape.length)) ?? w.shape.slice(0, -1).map((_, i) => i)
      const scalar = (value: number) => full([], value, { dtype: w.dtype })
      const norm = sqrt(sum(square(w), { axis: axes, keepDims: true }))
      // Exactly 1 where the norm is within the limit, also for a norm of 0.
      return mul(w, minimum(scalar(1), div(scalar(maxValue), maximum(norm, scalar(1e-30)))))
    },
  })
}

const factories = { maxNorm }

/** @internal The constraint that an option of a layer stands for. */
export function resolveConstraint(op: string, option: string, value: unknown): Constraint {
  if (typeof value === 'string' && Object.hasOwn(factories, value)) return factories[value as keyof typeof factories]()
  if (typeof value === 'object' && value !== null) {
    if ('constrain' in value && typeof value.constrain === 'function') return value as Constraint
    if ('kind' in value && typeof value.kind === 'string' && Object.hasOwn(factories, value.kind)) {
      const { kind, ...options } = value
      return (factories[kind as keyof typeof factories] as (options: object) => Constraint)(options)
    }
  }
  throw typeError(
    `${op}: ${option} must be ${oneOf(Object.keys(factories))}, or an object with constrain(weight). got ${show(value)}`,
  )
}
