// Group normalisation (Wu and He 2018) out of public ops: each sample's groups of channels, normalised like a layer.

import { add, layerNorm, mul, reshape, type Tensor, transpose } from 'ferrograd'

/** Images `[N, H, W, C]` with `groups` of consecutive channels, scaled by gamma and shifted by beta, each `[C]`. */
export function groupNorm(x: Tensor, groups: number, gamma: Tensor, beta: Tensor): Tensor {
  const [n, h, w, c] = x.shape as [number, number, number, number]
  const apart = transpose(reshape(x, [n, h, w, groups, c / groups]), [0, 3, 1, 2, 4])
  const unit = layerNorm(reshape(apart, [n * groups, -1]), { epsilon: 1e-5 })
  const together = transpose(reshape(unit, [n, groups, h, w, c / groups]), [0, 2, 3, 1, 4])
  return add(mul(reshape(together, [n, h, w, c]), gamma), beta)
}
