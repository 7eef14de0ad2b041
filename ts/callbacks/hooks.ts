// Calling callbacks, one after the other.

import { show, typeError } from '../errors.js'
import { listed } from '../initializers/options.js'
import type { Callback } from './callback.js'

const names = ['onTrainBegin', 'onTrainEnd', 'onEpochBegin', 'onEpochEnd', 'onBatchBegin', 'onBatchEnd'] as const
type PublicHook = (typeof names)[number]
type Hook = PublicHook | '$onPosition'
type Arguments<H extends Hook> = Parameters<NonNullable<Callback[H]>>

/** @internal The callbacks of a training. A single one may stand without a list. */
export function checkCallbacks(op: string, callbacks: unknown): readonly Callback[] {
  const list: unknown[] = Array.isArray(callbacks) ? callbacks : callbacks === undefined ? [] : [callbacks]
  list.forEach((callback, i) => {
    const which = Array.isArray(callbacks) ? `callbacks[${i}]` : 'callbacks'
    if (typeof callback !== 'object' || callback === null) {
      throw typeError(`${op}: ${which} must be an object with hooks such as onEpochEnd. got ${show(callback)}`)
    }
    const unknown = Object.keys(callback).find((key) => /^on[A-Z]/.test(key) && !names.includes(key as PublicHook))
    if (unknown !== undefined) throw typeError(`${op}: ${which} has no hook ${unknown}. the hooks are ${listed(names)}`)
    const hooks = names.filter((name) => (callback as Callback)[name] !== undefined)
    if (hooks.length === 0) throw typeError(`${op}: ${which} has none of the hooks ${listed(names)}`)
    for (const name of hooks) {
      const hook: unknown = (callback as Callback)[name]
      if (typeof hook !== 'function') throw typeError(`${op}: ${which}.${name} must be a function. got ${show(hook)}`)
    }
  })
  return list as Callback[]
}

/** @internal Calls one hook of every callback that has it, in order. */
export async function callHooks<H extends Hook>(
  callbacks: readonly Callback[],
  hook: H,
  ...values: Arguments<H>
): Promise<void> {
  for (const callback of callbacks) {
    await (callback[hook] as ((...values: Arguments<H>) => unknown) | undefined)?.call(callback, ...values)
  }
}

/** @internal Like {@link callHooks}, but an error does not keep the others from being called. It is thrown at the end. */
export async function callEveryHook<H extends Hook>(
  callbacks: readonly Callback[],
  hook: H,
  ...values: Arguments<H>
): Promise<void> {
  const errors: unknown[] = []
  for (const callback of callbacks) {
    await callHooks([callback], hook, ...values).catch((error) => errors.push(error))
  }
  if (errors.length > 0) throw errors[0]
}

/** @internal Whether some callback must see the model as each batch leaves it. */
export function watchesBatches(callbacks: readonly Callback[]): boolean {
  return callbacks.some(
    (callback) =>
      callback.passive !== true && (callback.onBatchBegin !== undefined || callback.onBatchEnd !== undefined),
  )
}
