// Layer normalisation.

import { record } from '../autograd/record.js'
import { ShapeError } from '../errors.js'
import { native } from '../native/index.js'
import { ones, zeros } from '../tensor/create.js'
import { checkFloat } from '../tensor/dtype.js'
import { showShape } from '../tensor/shape.js'
import { checkTensor, empty, type Tensor } from '../tensor/tensor.js'
import { checkEpsilon, checkPerChannel } from './batch-norm.js'

export interface LayerNormOptions {
  /** `[C]`, the factor. Default ones. */
  gamma?: Tensor | undefined
  /** `[C]`, the offset. Default zeros. */
  beta?: Tensor | undefined
  /** Added to the variance, above 0. Default 1e-3. */
  epsilon?: number | undefined
}

/** Columns of the native buffer of statistics, each one number for every row. */
const statisticsColumns = 3

/**
 * Brings the last axis of each row to mean 0 and variance 1, then scales and shifts it: `[…, C] -> […, C]`,
 * y = gamma · (x − mean) / √(variance + epsilon) + beta, float, with the population's variance. Rows do not depend on each
 * other. At least one axis, whose size is not 0.
 *
 * Source: Ba, Kiros and Hinton 2016.
 *
 * @example
 * ```ts
 * import { layerNorm, tensor } from 'ferrograd'
 * console.log(await layerNorm(tensor([[1, 3], [10, 30]]), { epsilon: 1e-9 }).array()) // [ [ -1, 1 ], [ -1, 1 ] ]
 * ```
 */
export function layerNorm(x: Tensor, options: LayerNormOptions = {}): Tensor {
  checkTensor('layerNorm', 'x', x)
  checkFloat('layerNorm', 'x', x.dtype)
  const { epsilon = 1e-3 } = options
  checkEpsilon('layerNorm', epsilon)
  const features = x.shape.at(-1)
  if (features === undefined || features === 0) {
    throw new ShapeError(`layerNorm: the last axis must have at least one element. input ${showShape(x.shape)}`)
  }
  for (const name of ['gamma', 'beta'] as const) checkPerChannel('layerNorm', x, name, options[name])
  const gamma = options.gamma ?? ones([features], { dtype: x.dtype })
  const beta = options.beta ?? zeros([features], { dtype: x.dtype })

  const statistics = empty([statisticsColumns, x.size / features], x.dtype)
  const y = empty(x.shape, x.dtype)
  native.layerNormForward(x.handle, gamma.handle, beta.handle, statistics.handle, y.handle, epsilon)
  record(
    'layerNorm',
    y,
    [x, options.gamma, options.beta],
    [x, gamma, statistics],
    (dy, [x, gamma, statistics], [wantsX, wantsGamma, wantsBeta]) => {
      const dx = wantsX ? empty(dy.shape, dy.dtype) : undefined
      const dGamma = wantsGamma ? empty(gamma!.shape, dy.dtype) : undefined
      const dBeta = wantsBeta ? empty(gamma!.shape, dy.dtype) : undefined
      native.layerNormBackward(
        ...([x!.handle, dy.handle, gamma!.handle, statistics!.handle] as const),
        ...([dx?.handle ?? 0, dGamma?.handle ?? 0, dBeta?.handle ?? 0] as const),
      )
      return [dx, dGamma, dBeta]
    },
  )
  statistics.dispose()
  return y
}
