// Negation.

import { record } from '../autograd/record.js'
import { native } from '../native/index.js'
import { checkFloat } from '../tensor/dtype.js'
import { checkTensor, empty, type Tensor } from '../tensor/tensor.js'

/**
 * −x, element by element. Any shape, float.
 *
 * @example
 * ```ts
 * import { neg, tensor } from 'ferrograd'
 * console.log(await neg(tensor([1, -2])).array()) // [ -1, 2 ]
 * ```
 */
export function neg(x: Tensor): Tensor {
  checkTensor('neg', 'x', x)
  checkFloat('neg', 'x', x.dtype)
  return record('neg', negated(x), [x], [], (dy) => [negated(dy)])
}

function negated(x: Tensor): Tensor {
  const y = empty(x.shape, x.dtype)
  native.negForward(x.handle, y.handle)
  return y
}
