// The options that all ready-made classifiers share.

import { ShapeError } from '../errors.js'
import type { FloatDType } from '../initializers/initializer.js'
import { checkCount, checkOptions } from '../initializers/options.js'
import type { RegularizerOption } from '../regularizers/regularizer.js'

export interface ClassifierOptions {
  /** Of one example, without the batch: `[32, 32, 3]`. */
  inputShape: readonly number[]
  /** How many numbers come out: a score for each class. */
  classes: number
  /** Of every kernel. Default none. */
  kernelRegularizer?: RegularizerOption
  /** Shown in errors. */
  name?: string
  /** What the weights are made of. Default 'float32'. */
  dtype?: FloatDType
}

/** @internal */
export function checkClassifier(op: string, options: ClassifierOptions, more: readonly string[] = []): void {
  checkOptions(op, options, ['inputShape', 'classes', 'kernelRegularizer', 'name', 'dtype', ...more])
  checkCount(op, 'classes', options.classes)
}

/** @internal Throws when height or width is below `least`, before a layer deep inside finds nothing left. */
export function checkImageSize(op: string, inputShape: readonly number[], least: number, way: string): void {
  if (!Array.isArray(inputShape) || inputShape.length !== 3) return
  const [height, width] = inputShape as readonly number[] as readonly [number, number, number]
  if (height >= least && width >= least) return
  throw new ShapeError(
    `${op}: images of ${height} x ${width} are too small: its windows need at least ${least} x ${least}. ${way}`,
  )
}

/** @internal Options that were given, for passing on. */
export function kernelOptions({ kernelRegularizer }: ClassifierOptions): { kernelRegularizer?: RegularizerOption } {
  return kernelRegularizer === undefined ? {} : { kernelRegularizer }
}

/** @internal Options of the model itself that were given. */
export function modelOptions({ name, dtype }: ClassifierOptions): { name?: string; dtype?: FloatDType } {
  return { ...(name !== undefined && { name }), ...(dtype !== undefined && { dtype }) }
}
