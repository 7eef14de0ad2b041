// The frame of ops that work on each element alone.

import { record } from '../autograd/record.js'
import { checkFloat } from '../tensor/dtype.js'
import { checkTensor, empty, type Tensor } from '../tensor/tensor.js'

/**
 * @internal y = op(x). `saves` says whether the gradient is computed from x or from y; `backward(saved, dy, dx)` computes
 * it.
 */
export function unary(
  op: string,
  x: Tensor,
  forward: (x: number, y: number) => void,
  saves: 'x' | 'y',
  backward: (saved: number, dy: number, dx: number) => void,
): Tensor {
  checkTensor(op, 'x', x)
  checkFloat(op, 'x', x.dtype)
  const y = empty(x.shape, x.dtype)
  forward(x.handle, y.handle)
  return record(op, y, [x], [saves === 'x' ? x : y], (dy, [saved]) => {
    const dx = empty(dy.shape, dy.dtype)
    backward(saved!.handle, dy.handle, dx.handle)
    return [dx]
  })
}
