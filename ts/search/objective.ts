// By what trials are judged.

import type { Training } from '../callbacks/callback.js'
import { show, typeError } from '../errors.js'
import { checkChoice, checkOptions, listed } from '../initializers/options.js'
import type { History } from '../training/logs.js'

/** A number for a finished trial, from what `fit` returned: the larger, the better. */
export type Score = (history: History) => number

export interface Objective {
  /** The name of a figure in the history, of which the best epoch counts; or a function of the history. */
  monitor: string | Score
  /** Whether less or more is better. Default 'auto': what the metric says of itself, less for losses, more for functions. */
  mode?: 'auto' | 'min' | 'max'
}

/** Whether less or more is better. */
export type Mode = 'min' | 'max'

/** @internal What a trial needs to know of the objective, wherever it runs. */
export interface Goal {
  /** Undefined for a function. */
  readonly key: string | undefined
  readonly mode: 'auto' | Mode
}

/** @internal */
export interface CheckedObjective extends Goal {
  /** What it is called in reports. */
  readonly name: string
  readonly score: Score | undefined
}

/** @internal */
export function checkObjective(op: string, given: unknown = 'val_accuracy'): CheckedObjective {
  const whole = typeof given === 'object' && given !== null
  if (whole) checkOptions(`${op}: objective`, given, ['monitor', 'mode'])
  const { monitor, mode = 'auto' } = whole ? (given as Objective) : { monitor: given as string | Score }
  checkChoice(op, 'objective.mode', mode, ['auto', 'min', 'max'])
  if (typeof monitor === 'function') {
    return { key: undefined, name: monitor.name || 'objective', score: monitor, mode: mode === 'auto' ? 'max' : mode }
  }
  if (typeof monitor !== 'string' || monitor === '') {
    throw typeError(
      `${op}: objective must be the name of a figure such as 'val_loss', a function of the history, or { monitor, mode }. got ${show(given)}`,
    )
  }
  const key = monitor === 'acc' || monitor === 'val_acc' ? monitor.replace('acc', 'accuracy') : monitor
  return { key, name: key, score: undefined, mode }
}

/** @internal Which way is up in this training. Throws when it has no such figure. */
export function modeOf(op: string, { key, mode }: Goal, { metrics }: Training): Mode {
  if (key === undefined) return mode === 'min' ? 'min' : 'max'
  const name = key.replace(/^val_/, '')
  const metric = metrics.find((one) => one.name === name)
  if (metric === undefined && name !== 'loss') {
    const keys = ['loss', ...metrics.map((one) => one.name)].flatMap((one) => [one, `val_${one}`])
    throw typeError(
      `${op}: objective: there is no ${show(key)} in the history, which has ${listed(keys)}. set objective to one of them, or compile with the metric: metrics: [${show(name)}]`,
    )
  }
  if (mode !== 'auto') return mode
  return metric?.better === 'higher' ? 'max' : 'min'
}

/** @internal What a finished trial is worth: the best of its epochs, or what the function says. */
export function worth(op: string, objective: CheckedObjective, mode: Mode, history: History): number {
  if (objective.score !== undefined) {
    const value: unknown = objective.score(history)
    if (typeof value === 'number' && !Number.isNaN(value)) return value
    throw typeError(`${op}: objective must return a number. got ${show(value)}`)
  }
  const values = (history.history[objective.key!] ?? []).filter((value) => !Number.isNaN(value))
  if (values.length === 0) throw typeError(`${op}: objective: ${show(objective.key)} is NaN in every epoch`)
  return mode === 'max' ? Math.max(...values) : Math.min(...values)
}

/** @internal Sorts by what is better. */
export function better(mode: Mode, a: number, b: number): number {
  return mode === 'max' ? b - a : a - b
}
