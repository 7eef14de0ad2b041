// How far predictions are from numbers.

import { ShapeError } from '../errors.js'
import { checkOptions } from '../initializers/options.js'
import { abs, square, sub, sum } from '../ops/index.js'
import { sameShape, showShape } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { madeOf } from './config.js'
import { type Measurement, Metric } from './metric.js'
import { checkName } from './name.js'

export interface MeanErrorOptions {
  /** The key in logs and histories. */
  name?: string
}

class MeanError extends Metric {
  constructor(
    name: string,
    private readonly of: (difference: Tensor) => Tensor,
  ) {
    super(name, 'lower')
  }

  measure(predictions: Tensor, labels: Tensor): Measurement {
    if (!sameShape(predictions.shape, labels.shape)) {
      throw new ShapeError(
        `${this.name}: predictions and labels must have one shape. predictions ${showShape(predictions.shape)}, labels ${showShape(labels.shape)}`,
      )
    }
    return { sums: sum(this.of(sub(predictions, labels))), count: predictions.size }
  }

  value(sums: readonly number[], count: number): number {
    return sums[0]! / count
  }
}

function build(kind: string, of: (difference: Tensor) => Tensor, options: MeanErrorOptions): Metric {
  checkOptions(`metrics.${kind}`, options, ['name'])
  const { name = kind } = options
  return madeOf(new MeanError(checkName(`metrics.${kind}`, name), of), kind, { name })
}

/** The mean over all elements of (prediction − label)². */
export function meanSquaredError(options: MeanErrorOptions = {}): Metric {
  return build('meanSquaredError', square, options)
}

/** The mean over all elements of |prediction − label|. */
export function meanAbsoluteError(options: MeanErrorOptions = {}): Metric {
  return build('meanAbsoluteError', abs, options)
}
