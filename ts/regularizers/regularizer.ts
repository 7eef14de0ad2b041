// Penalties on weights, added to the loss.

import { show, typeError } from '../errors.js'
import { checkNumber, checkOptions, oneOf } from '../initializers/options.js'
import { abs, add, mul, square, sum } from '../ops/index.js'
import { full } from '../tensor/create.js'
import type { Tensor } from '../tensor/tensor.js'

/** A penalty on a weight. Those of `regularizers` are named by their `kind`; your own needs only `penalty`. */
export interface Regularizer {
  /** The name in `regularizers` that rebuilds it from a file. */
  readonly kind?: string
  /** What is added to the loss: a tensor of shape `[]`, made of ops so that it has a gradient. */
  penalty(weight: Tensor): Tensor
}

/** A name, what one of `regularizers` returns, or an object of your own. */
export type RegularizerOption = keyof typeof factories | Regularizer

/**
 * `l1` · Σ |w|, which drives small weights to zero. Default 0.01.
 */
export function l1(options: { l1?: number } = {}): Regularizer {
  checkOptions('regularizers.l1', options, ['l1'])
  const factor = checkNumber('regularizers.l1', 'l1', options.l1 ?? 0.01, 0)
  return Object.freeze({ kind: 'l1', l1: factor, penalty: (w: Tensor) => absolute(w, factor) })
}

/**
 * `l2` · Σ w², without a half in front. Default 0.01.
 *
 * @example
 * ```ts
 * import { layers, ones, regularizers } from 'ferrograd'
 * const layer = layers.dense({ units: 2, kernelInitializer: 'ones', kernelRegularizer: regularizers.l2({ l2: 0.25 }) })
 * layer.apply(ones([1, 3]))
 * console.log(await layer.regularization()!.item()) // 1.5
 * ```
 */
export function l2(options: { l2?: number } = {}): Regularizer {
  checkOptions('regularizers.l2', options, ['l2'])
  const factor = checkNumber('regularizers.l2', 'l2', options.l2 ?? 0.01, 0)
  return Object.freeze({ kind: 'l2', l2: factor, penalty: (w: Tensor) => squares(w, factor) })
}

/**
 * `l1` · Σ |w| + `l2` · Σ w² (the elastic net, Zou and Hastie 2005). Both default to 0.01.
 */
export function l1l2(options: { l1?: number; l2?: number } = {}): Regularizer {
  checkOptions('regularizers.l1l2', options, ['l1', 'l2'])
  const first = checkNumber('regularizers.l1l2', 'l1', options.l1 ?? 0.01, 0)
  const second = checkNumber('regularizers.l1l2', 'l2', options.l2 ?? 0.01, 0)
  return Object.freeze({
    kind: 'l1l2',
    l1: first,
    l2: second,
    penalty: (w: Tensor) => add(absolute(w, first), squares(w, second)),
  })
}

function absolute(w: Tensor, factor: number): Tensor {
  return mul(sum(abs(w)), full([], factor, { dtype: w.dtype }))
}

function squares(w: Tensor, factor: number): Tensor {
  return mul(sum(square(w)), full([], factor, { dtype: w.dtype }))
}

const factories = { l1, l2, l1l2 }

/** @internal The regularizer that an option of a layer stands for. */
export function resolveRegularizer(op: string, option: string, value: unknown): Regularizer {
  if (typeof value === 'string' && Object.hasOwn(factories, value)) return factories[value as keyof typeof factories]()
  if (typeof value === 'object' && value !== null) {
    if ('penalty' in value && typeof value.penalty === 'function') return value as Regularizer
    if ('kind' in value && typeof value.kind === 'string' && Object.hasOwn(factories, value.kind)) {
      const { kind, ...options } = value
      return (factories[kind as keyof typeof factories] as (options: object) => Regularizer)(options)
    }
  }
  throw typeError(
    `${op}: ${option} must be ${oneOf(Object.keys(factories))}, or an object with penalty(weight). got ${show(value)}`,
  )
}
