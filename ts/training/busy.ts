// Which models are training.

import type { Trainable } from './trainable.js'

const busy = new WeakSet<Trainable>()

/** @internal Throws while the model is training. */
export function checkIdle(op: string, model: Trainable): void {
  if (!busy.has(model)) return
  throw Object.assign(
    new Error(
      `${op}: model "${model.name}" is training. await its fit, or end it with stopTraining or a signal, before anything else changes the model`,
    ),
    { code: 'ERR_TRAINING' },
  )
}

/** @internal Notes that the model is training until `release`. */
export function occupy(op: string, model: Trainable): void {
  checkIdle(op, model)
  busy.add(model)
}

/** @internal */
export function release(model: Trainable): void {
  busy.delete(model)
}
