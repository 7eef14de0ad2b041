// Weights by the formula of fixtures/goldens/architectures.py, which says what the arrays are.

import { type Tensor, tensor } from 'ferrograd'
import { withWeightsFrom } from '../../dist/layers/weight-source.js'

/** The finalizer of MurmurHash3 on 32 bits. */
function hash32(x: number): number {
  x ^= x >>> 16
  x = Math.imul(x, 0x85ebca6b)
  x ^= x >>> 13
  x = Math.imul(x, 0xc2b2ae35)
  return x ^ (x >>> 16)
}

/** Array `k`: uniform in `centre` ± `limit`, float32. */
export function formulaTensor(k: number, shape: readonly number[], limit: number, centre = 0): Tensor {
  const size = shape.reduce((product, n) => product * n, 1)
  const values = new Float32Array(size)
  const key = hash32(k)
  for (let i = 0; i < size; i++) values[i] = centre + ((hash32(i ^ key) >>> 8) / 2 ** 23 - 1) * limit
  return tensor(values, { shape })
}

/** The image: of mean 0 and variance 1. */
export const formulaImage = (shape: readonly number[]): Tensor => formulaTensor(0, shape, Math.sqrt(3))

/** What `build` makes, its weights by the formula. They are made in the order of the model's `weights`. */
export function withFormulaWeights<T>(build: () => T): T {
  let k = 0
  return withWeightsFrom((path, shape) => {
    k++
    if (path.endsWith('/kernel')) {
      const fanIn = shape.slice(0, -1).reduce((product, n) => product * n, 1)
      return formulaTensor(k, shape, Math.sqrt(6 / fanIn))
    }
    return /\/(gamma|variance)$/.test(path) ? formulaTensor(k, shape, 0.5, 1) : formulaTensor(k, shape, 0.1)
  }, build)
}
