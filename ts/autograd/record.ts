// Recording: an op leaves behind how its gradient is computed.

import { typeError } from '../errors.js'
import { type GradientRule, GraphNode } from '../tensor/graph.js'
import { alias, type Tensor } from '../tensor/tensor.js'

let enabled = true

/** @internal Whether a gradient may be asked of this tensor: it is a trainable variable or comes from one. */
export function recording(x: Tensor | undefined): boolean {
  return enabled && x !== undefined && x.life.node !== undefined
}

/**
 * @internal Notes how `y` came from `inputs`, and returns it. `saved` are the tensors that `rule` will need; they are
 * kept even when their owner disposes them. Nothing is kept unless some input is recorded.
 */
export function record(
  op: string,
  y: Tensor,
  inputs: readonly (Tensor | undefined)[],
  saved: readonly Tensor[],
  rule: GradientRule,
): Tensor {
  if (!enabled) return y
  let any = false
  for (let i = 0; i < inputs.length; i++) any ||= inputs[i]?.life.node !== undefined
  if (!any) return y
  y.life.node = new GraphNode(
    op,
    y.shape,
    inputs.map((input) => input?.life.node),
    saved.map((tensor) => alias(tensor)),
    rule,
  )
  return y
}

/**
 * Runs `fn` without recording: what it computes has no gradient and keeps nothing alive.
 *
 * @example
 * ```ts
 * import { mul, noGrad, tensor, variable } from 'ferrograd'
 * const w = variable(tensor([2]))
 * noGrad(() => w.assign(mul(w, tensor([3]))))
 * console.log(await w.data()) // Float32Array(1) [ 6 ]
 * ```
 */
export function noGrad<T>(fn: () => T): T {
  if (typeof fn !== 'function') throw typeError('noGrad: expects a function')
  return withRecording(false, fn)
}

/** @internal Runs `fn` with recording on or off. */
export function withRecording<T>(on: boolean, fn: () => T): T {
  const before = enabled
  enabled = on
  try {
    return fn()
  } finally {
    enabled = before
  }
}
