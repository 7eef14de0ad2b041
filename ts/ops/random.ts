// The frame of ops that draw random numbers.

import { rangeError, show, typeError } from '../errors.js'
import { checkDType, checkFloat, type DType } from '../tensor/dtype.js'
import { checkSeed, nextSeed } from '../tensor/seed.js'
import { checkShape } from '../tensor/shape.js'
import { empty, type Tensor } from '../tensor/tensor.js'

/** @internal A tensor that `fill(y, seed)` fills. */
export function random(
  op: string,
  shape: readonly number[],
  options: { seed?: number | undefined; dtype?: DType | undefined },
  fill: (y: number, seed: number) => void,
): Tensor {
  if (typeof options !== 'object' || options === null)
    throw typeError(`${op}: options must be an object. got ${show(options)}`)
  const { seed, dtype = 'float32' } = options
  const checked = checkShape(op, shape)
  checkDType(op, dtype)
  checkFloat(op, 'the result', dtype)
  const from = seed === undefined ? nextSeed() : checkSeed(op, seed)
  const y = empty(checked, dtype)
  fill(y.handle, from)
  return y
}

/** @internal Throws unless these are a mean and a standard deviation. */
export function checkSpread(op: string, mean: unknown, stdDev: unknown): void {
  if (!Number.isFinite(mean)) throw rangeError(`${op}: mean must be a finite number. got ${show(mean)}`)
  if (!Number.isFinite(stdDev) || (stdDev as number) < 0) {
    throw rangeError(`${op}: stdDev must be a finite number from 0. got ${show(stdDev)}`)
  }
}
