// Metrics as plain data.

import type { Metric } from './metric.js'

/** @internal Which of `metrics.*` made a metric, and of what options. */
export type MetricConfig = { readonly kind: string } & Readonly<Record<string, unknown>>

const configs = new WeakMap<Metric, MetricConfig>()

/** @internal Notes how a metric was made. */
export function madeOf<M extends Metric>(metric: M, kind: string, options: object): M {
  configs.set(metric, { ...options, kind })
  return metric
}

/** @internal Undefined for a metric of the user's own. */
export function configOf(metric: Metric): MetricConfig | undefined {
  return configs.get(metric)
}
