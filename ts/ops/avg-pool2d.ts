// The mean of each window.

import { record } from '../autograd/record.js'
import { native } from '../native/index.js'
import { empty, type Tensor } from '../tensor/tensor.js'
import { type Pool2dOptions, type PoolGeometry, poolGeometry } from './pool2d.js'

/**
 * The mean of each window, channel by channel: `[N, H, W, C] -> [N, H', W', C]`, float, with H' = ⌊(H + top + bottom −
 * ((size − 1) · dilation + 1)) / stride⌋ + 1. Padding does not count: the mean is over the cells that are on the image.
 *
 * `stride` defaults to `size`.
 *
 * Throws a `ShapeError` when the window does not fit, or when a window would stand on padding alone, and a `RangeError`
 * or `TypeError` for options out of range.
 *
 * @example
 * ```ts
 * import { avgPool2d, tensor } from 'ferrograd'
 * const image = tensor([1, 2, 5, 3, 4, 1, 1, 3], { shape: [1, 2, 4, 1] })
 * console.log(await avgPool2d(image, { size: 2 }).data()) // Float32Array(2) [ 2, 3 ]
 * ```
 */
export function avgPool2d(x: Tensor, options: Pool2dOptions): Tensor {
  const geometry = poolGeometry('avgPool2d', x, options)
  return means('avgPool2d', x, geometry, geometry.shape)
}

/** @internal The means of all windows, as a tensor of `shape`. */
export function means(op: string, x: Tensor, { words }: PoolGeometry, shape: readonly number[]): Tensor {
  const y = empty(shape, x.dtype)
  native.avgPool2dForward(x.handle, y.handle, words)
  const from = x.shape
  return record(op, y, [x], [], (dy) => {
    const dx = empty(from, dy.dtype)
    native.avgPool2dBackward(dy.handle, dx.handle, words)
    return [dx]
  })
}
