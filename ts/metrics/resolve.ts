// Metrics by name.

import { show, typeError } from '../errors.js'
import { oneOf } from '../initializers/options.js'
import { checkConfig, rebuilt } from '../schedules/rebuild.js'
import { accuracy, binaryAccuracy, topKAccuracy } from './accuracy.js'
import { meanAbsoluteError, meanSquaredError } from './mean-error.js'
import { Metric } from './metric.js'
import { precision, recall } from './precision-recall.js'

const factories = {
  accuracy,
  binaryAccuracy,
  topKAccuracy,
  precision,
  recall,
  meanSquaredError,
  meanAbsoluteError,
}

/** The metrics that need no options. */
export type MetricName = keyof typeof factories

/** @internal A metric as `configOf` described it. Throws a {@link FormatError} for anything else. */
export function metricFrom(op: string, config: unknown): Metric {
  const { kind, ...options } = checkConfig(op, 'metric', config, factories)
  return rebuilt(op, 'metric', () => factories[kind as MetricName](options))
}

/** @internal The metrics that a list of names and metrics stands for. 'acc' is another word for 'accuracy'. */
export function resolveMetrics(op: string, metrics: unknown): Metric[] {
  if (!Array.isArray(metrics)) throw typeError(`${op}: metrics must be an array. got ${show(metrics)}`)
  const resolved = metrics.map((metric, i) => {
    if (metric instanceof Metric) return metric
    const name = metric === 'acc' ? 'accuracy' : metric
    if (typeof name !== 'string' || !Object.hasOwn(factories, name)) {
      throw typeError(
        `${op}: metrics[${i}] must be ${oneOf(Object.keys(factories))}, or one of metrics.* with options. got ${show(metric)}`,
      )
    }
    return factories[name as MetricName]()
  })
  resolved.forEach((metric, i) => {
    if (resolved.findIndex((other) => other.name === metric.name) !== i) {
      throw typeError(
        `${op}: two metrics are called "${metric.name}". give one of them another name: metrics.${metric.name}({ name: … })`,
      )
    }
  })
  return resolved
}
