// The largest value of each window.

import { record, recording } from '../autograd/record.js'
import { native } from '../native/index.js'
import { empty, type Tensor } from '../tensor/tensor.js'
import { type Pool2dOptions, type PoolGeometry, poolGeometry } from './pool2d.js'

/** Windows of more cells than a byte can number, beside the number for none, note their winner in four. */
const mostByteTaps = 255

/**
 * The largest value of each window, channel by channel: `[N, H, W, C] -> [N, H', W', C]`, float, with H' = ⌊(H + top +
 * bottom − ((size − 1) · dilation + 1)) / stride⌋ + 1.
 *
 * `stride` defaults to `size`. Padding never wins. Of equal values the first wins (row by row), and the gradient goes to
 * it alone; a NaN beats every number.
 *
 * Throws a `ShapeError` when the window does not fit, or when a window would stand on padding alone, and a `RangeError`
 * or `TypeError` for options out of range.
 *
 * @example
 * ```ts
 * import { maxPool2d, tensor } from 'ferrograd'
 * const image = tensor([1, 2, 5, 3, 4, 0, 1, 1], { shape: [1, 2, 4, 1] })
 * console.log(await maxPool2d(image, { size: 2 }).data()) // Float32Array(2) [ 4, 5 ]
 * ```
 */
export function maxPool2d(x: Tensor, options: Pool2dOptions): Tensor {
  const geometry = poolGeometry('maxPool2d', x, options)
  return largest('maxPool2d', x, geometry, geometry.shape)
}

/** @internal The largest values of all windows, as a tensor of `shape`. */
export function largest(op: string, x: Tensor, { taps, words }: PoolGeometry, shape: readonly number[]): Tensor {
  const y = empty(shape, x.dtype)
  const winners = recording(x) ? emptyWinners(shape, taps) : undefined
  // What is 0 or less passes no gradient on to a rectifier: where x comes from one, nobody wins then.
  const rectified = x.life.node?.rectifies ?? false
  native.maxPool2dForward(x.handle, y.handle, winners?.handle ?? 0, rectified, words)
  if (winners === undefined) return y
  const from = x.shape
  record(op, y, [x], [winners], (dy, [winners]) => {
    const dx = empty(from, dy.dtype)
    native.maxPool2dBackward(dy.handle, winners!.handle, dx.handle, words)
    dx.life.storage!.rectified = rectified
    return [dx]
  })
  winners.dispose()
  return y
}

/** @internal Where the numbers of the winning taps go, for windows of so many. */
export function emptyWinners(shape: readonly number[], taps: number): Tensor {
  return empty(shape, taps <= mostByteTaps ? 'uint8' : 'int32')
}
