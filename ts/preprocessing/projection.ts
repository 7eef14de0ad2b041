// From samples to their components along principal axes, and back.

import { add, cast, matmul, reshape, sub } from '../ops/index.js'
import { sizeOf } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import type { Requirement, Statistics } from './preprocessing.js'

/** @internal A statistic in the dtype that is computed in. */
export function like(statistic: Tensor, x: Tensor): Tensor {
  return cast(statistic, { dtype: x.dtype })
}

/** @internal x − mean as rows: `[N, …] -> [N, features]`. */
export function centred(x: Tensor, { mean }: Statistics): Tensor {
  return reshape(sub(x, like(mean!, x)), [x.shape[0]!, mean!.size])
}

/** @internal z + mean as samples: `[N, features] -> [N, …]`. */
export function uncentred(z: Tensor, { mean }: Statistics): Tensor {
  return add(reshape(z, [z.shape[0]!, ...mean!.shape]), like(mean!, z))
}

/** @internal `[N, features] -> [N, K]` */
export function along(x: Tensor, { components }: Statistics): Tensor {
  return matmul(x, like(components!, x), { transposeB: true })
}

/** @internal `[N, K] -> [N, features]` */
export function back(z: Tensor, { components }: Statistics): Tensor {
  return matmul(z, like(components!, z))
}

/** @internal What a file with principal axes must hold. */
export function axesRequirements({ mean, components }: Statistics): Record<string, Requirement> {
  const example = mean !== undefined && mean.shape.length > 0 ? mean.shape : [1]
  const features = sizeOf(example)
  const count = Math.max(1, Math.min(components?.shape[0] ?? 1, features))
  return {
    mean: { shape: example, positive: false },
    components: { shape: [count, features], positive: false },
    explainedVariance: { shape: [count], positive: true },
  }
}
