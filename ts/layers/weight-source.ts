// Where new weights get their values when not from initializers: a file that is being loaded.

import type { FloatDType } from '../initializers/initializer.js'
import type { Tensor } from '../tensor/tensor.js'

/** The values of the weight at `path`, such as `block_1/conv2d_1/kernel`. Throws when they do not fit. */
export type WeightSource = (path: string, shape: readonly number[], dtype: FloatDType) => Tensor

let source: WeightSource | undefined
const around: string[] = []

/** Runs `fn`, in which new weights get their values from `from`. */
export function withWeightsFrom<T>(from: WeightSource, fn: () => T): T {
  const before = source
  source = from
  try {
    return fn()
  } finally {
    source = before
  }
}

/** Runs `fn`, whose weights belong to a module called `name`. */
export function inModule<T>(name: string, fn: () => T): T {
  around.push(name)
  try {
    return fn()
  } finally {
    around.pop()
  }
}

/** Values for a weight of the module at hand, if they come from a source. */
export function sourcedValues(key: string, shape: readonly number[], dtype: FloatDType): Tensor | undefined {
  return source?.([...around, key].join('/'), shape, dtype)
}
