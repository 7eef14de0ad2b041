// A search as people read it.

import { type Params, showParam, showParams } from './space.js'
import type { Trial } from './trial.js'

/** @internal `val_accuracy: 0.942, learningRate: 1.41e-4 (3 / 20)` */
export function trialLine(objective: string, trial: Trial, trials: number): string {
  const { params, status, index, value, reason } = trial
  const head = status === 'done' ? `${objective}: ${showParam(value)}` : status
  const why = reason === undefined ? '' : `: ${reason}`
  return `${head}, ${showParams(params)} (${index + 1} / ${trials})${why}`
}

/** @internal A row for each trial, in the order given, under a row of titles. */
export function trialTable(objective: string, trials: readonly Trial[]): string {
  const names = trials.length === 0 ? [] : Object.keys(trials[0]!.params)
  const rows = trials.map(({ index, params, status, value, history }) => [
    String(index + 1),
    status === 'done' ? showParam(value) : status,
    ...names.map((name) => showParam((params as Params)[name])),
    String(history.epoch.length),
  ])
  const all = [['trial', objective, ...names, 'epochs'], ...rows]
  const widths = all[0]!.map((_, column) => Math.max(...all.map((row) => row[column]!.length)))
  return all.map((row) => row.map((cell, i) => cell.padStart(widths[i]!)).join('  ')).join('\n')
}
