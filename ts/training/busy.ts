// Which models are training.

import type { Trainable } from './trainable.js'

const busy = new WeakSet<Trainable>()

/** @internal */
export function isTraining(model: Trainable): boolean {
  return busy.has(model)
}

/** @internal Throws when the model is training already; `release` ends what this begins. */
export function occupy(op: string, model: Trainable): void {
  if (busy.has(model)) {
    throw Object.assign(
      new Error(
        `${op}: model "${model.name}" is training already. await the first fit, or end it with its signal, before the next`,
      ),
      { code: 'ERR_TRAINING' },
    )
  }
  busy.add(model)
}

/** @internal */
export function release(model: Trainable): void {
  busy.delete(model)
}
