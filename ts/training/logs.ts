// What training says about itself: figures by name, for a batch, an epoch and all epochs.

import type { Metric } from '../metrics/metric.js'
import { Totals } from '../metrics/metric.js'
import type { MetricName } from '../metrics/resolve.js'

type MetricKey = MetricName | 'val_loss' | `val_${MetricName}`

/** Figures of a batch or an epoch: `loss`, each metric by its name, and the same of the validation data with `val_` in front. */
export type Logs = { readonly loss: number } & { readonly [K in MetricKey]?: number } & {
  readonly [key: string]: number | undefined
}

/** What `evaluate` and `trainOnBatch` return: `loss`, and each metric by its name. */
export type Scores = { loss: number } & { [K in MetricName]?: number } & { [key: string]: number | undefined }

/** What `fit` returns. */
export interface History {
  /** The numbers of the epochs, counted from 0. */
  epoch: number[]
  /** A list for each figure, with one entry for each epoch. */
  history: { loss: number[] } & { [K in MetricKey]?: number[] } & { [key: string]: number[] | undefined }
}

/** @internal What one step found out. */
export interface StepResult {
  loss: number
  measured: { sums: ArrayLike<number>; count: number }[]
}

/** @internal Adds up steps: the loss weighted with the size of each batch, metrics exactly. */
export class RunningScores {
  private loss = 0
  private size = 0
  private readonly totals: Totals[]

  constructor(private readonly metrics: readonly Metric[]) {
    this.totals = metrics.map(() => new Totals())
  }

  add(result: StepResult, size: number): void {
    this.loss += result.loss * size
    this.size += size
    result.measured.forEach(({ sums, count }, i) => {
      this.totals[i]!.add(sums, count)
    })
  }

  scores(): Scores {
    const scores: Scores = { loss: this.loss / this.size }
    this.metrics.forEach((metric, i) => {
      const { sums, count } = this.totals[i]!
      scores[metric.name] = count === 0 ? Number.NaN : metric.value(sums, count)
    })
    return scores
  }
}

/** @internal The figures of one batch alone. */
export function scoresOf(metrics: readonly Metric[], result: StepResult): Scores {
  const one = new RunningScores(metrics)
  one.add(result, 1)
  return one.scores()
}

/** @internal The same figures under the names of validation. */
export function asValidation(scores: Scores): Record<string, number | undefined> {
  return Object.fromEntries(Object.entries(scores).map(([key, value]) => [`val_${key}`, value]))
}

/** @internal Appends one epoch. */
export function remember(history: History, epoch: number, logs: Logs): void {
  history.epoch.push(epoch)
  for (const [key, value] of Object.entries(logs)) {
    const list = history.history[key] ?? []
    list.push(value!)
    history.history[key] = list
  }
}
