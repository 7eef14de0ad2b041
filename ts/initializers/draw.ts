// Random tensors for weights, drawn in JavaScript.

import { tensor } from '../tensor/create.js'
import { Random } from '../tensor/seed.js'
import { sizeOf } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import type { FloatDType } from './initializer.js'

interface Drawn {
  seed: number
  dtype: FloatDType
}

/** @internal */
export function drawNormal(
  shape: readonly number[],
  { mean, stdDev, seed, dtype }: Drawn & { mean: number; stdDev: number },
): Tensor {
  const random = new Random(seed)
  return filled(shape, dtype, () => mean + stdDev * standardNormal(random))
}

/** @internal */
export function drawTruncatedNormal(
  shape: readonly number[],
  { mean, stdDev, seed, dtype }: Drawn & { mean: number; stdDev: number },
): Tensor {
  const random = new Random(seed)
  return filled(shape, dtype, () => {
    let z = standardNormal(random)
    while (Math.abs(z) > 2) z = standardNormal(random)
    return mean + stdDev * z
  })
}

/** @internal */
export function drawUniform(
  shape: readonly number[],
  { min, max, seed, dtype }: Drawn & { min: number; max: number },
): Tensor {
  const random = new Random(seed)
  return filled(shape, dtype, () => min + (max - min) * random.next())
}

/** @internal A standard normal number (Box and Muller 1958). */
export function standardNormal(random: Random): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random.next()))
  return radius * Math.cos(2 * Math.PI * random.next())
}

function filled(shape: readonly number[], dtype: FloatDType, draw: () => number): Tensor {
  return tensor(
    Float64Array.from({ length: sizeOf(shape) }, () => draw()),
    { shape, dtype },
  )
}
