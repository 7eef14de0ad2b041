// The gradient of rectifiers, apart from them: ops that end with one use it too.

import { native } from '../native/index.js'
import { empty, type Tensor } from '../tensor/tensor.js'

/** @internal The gradient before a rectifier, whose output was `y`. */
export function rectified(dy: Tensor, y: Tensor): Tensor {
  const storage = dy.life.storage!
  if (storage.rectified) {
    // True of this rectifier only, not of one that the gradient may reach later.
    storage.rectified = false
    return dy
  }
  const dx = empty(dy.shape, dy.dtype)
  native.reluBackward(y.handle, dy.handle, dx.handle)
  return dx
}
