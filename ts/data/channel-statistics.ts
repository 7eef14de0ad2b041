// Mean and standard deviation of channels, checked.

import { DTypeError, rangeError, ShapeError, show, typeError } from '../errors.js'
import { checkOptions } from '../initializers/options.js'
import type { ChannelStatistics } from '../ops/pixels.js'
import type { DType } from '../tensor/dtype.js'
import { showShape } from '../tensor/shape.js'

/** One number for all channels, or one for each. */
export interface NormalizeOptions {
  mean: number | readonly number[]
  std: number | readonly number[]
}

/** @internal Throws unless `normalize` has a finite mean and a standard deviation above 0 for each channel. */
export function checkNormalize(op: string, normalize: unknown): ChannelStatistics {
  checkOptions(`${op}: normalize`, normalize, ['mean', 'std'])
  const { mean, std } = normalize as Partial<NormalizeOptions>
  const checked = { mean: numbersOf(op, 'mean', mean), std: numbersOf(op, 'std', std) }
  const wrong = checked.std.findIndex((value) => value <= 0)
  if (wrong >= 0) {
    throw rangeError(
      `${op}: normalize divides by std, which must be above 0. got ${checked.std[wrong]} (number ${wrong})`,
    )
  }
  const [few, many] = [checked.mean.length, checked.std.length]
  if (few === many) return checked
  if (few === 1) return { ...checked, mean: Array.from(checked.std, () => checked.mean[0]!) }
  if (many === 1) return { ...checked, std: Array.from(checked.mean, () => checked.std[0]!) }
  throw new ShapeError(
    `${op}: normalize has ${few} means and ${many} standard deviations. give one of each for each channel`,
  )
}

function numbersOf(op: string, name: string, value: unknown): readonly number[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (list.length === 0 || list.some((item) => typeof item !== 'number' || !Number.isFinite(item))) {
    throw typeError(`${op}: normalize.${name} must be a finite number, or an array of them. got ${show(value)}`)
  }
  return list as readonly number[]
}

/** @internal Throws unless these statistics go with samples `[N, …, channels]` of this dtype. */
export function checkStatisticsFit(
  op: string,
  name: string,
  { mean }: ChannelStatistics,
  shape: readonly number[],
  dtype: DType,
): void {
  if (dtype === 'int32') {
    throw new DTypeError(
      `${op}: normalize takes pixels (uint8) and floats, but ${name} has dtype int32. cast it first: cast(${name}, { dtype: 'float32' })`,
    )
  }
  const channels = shape.length > 1 ? shape.at(-1)! : 1
  if (mean.length !== 1 && mean.length !== channels) {
    throw new ShapeError(
      `${op}: normalize has numbers for ${mean.length} channels, but ${name} has ${channels}. ${name} ${showShape(shape)}`,
    )
  }
}
