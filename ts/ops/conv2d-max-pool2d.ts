// A convolution and the max-pool over it in one pass.

import { record, recording } from '../autograd/record.js'
import { native } from '../native/index.js'
import { empty, type Tensor } from '../tensor/tensor.js'
import { type Convolution, convolutionGeometry, convolutionGradients, packedWeight } from './conv2d.js'
import { emptyWinners } from './max-pool2d.js'
import { type Pool2dOptions, poolGeometryOf } from './pool2d.js'
import type { WindowOptions } from './window.js'

/**
 * @internal What {@link maxPool2d} gives for the result of a convolution, in the same bits, without that result: it is neither
 * written to memory nor kept for the gradient. Undefined where the two ops apart are as fast, and in float64.
 */
export function conv2dMaxPool2d(convolution: Convolution, pooling: Pool2dOptions): Tensor | undefined {
  const { x, weight, bias, relu, shape: mapShape, words } = convolution
  const pool = poolGeometryOf('maxPool2d', mapShape, pooling)
  if (x.dtype !== 'float32' || !native.conv2dMaxPool2dPays(words, pool.words)) return undefined

  const y = empty(pool.shape, x.dtype)
  const recorded = [x, weight, bias].some(recording)
  const winners = recorded ? emptyWinners(pool.shape, pool.taps) : undefined
  const packed = packedWeight(convolution)
  native.conv2dMaxPool2dForward(
    ...([x.handle, packed === 0 ? weight.handle : packed, packed !== 0, bias?.handle ?? 0] as const),
    ...([y.handle, winners?.handle ?? 0, relu, words, pool.words] as const),
  )
  if (winners === undefined) return y
  const { saved, gradients } = convolutionGradients(convolution)
  const { length } = saved
  const op = relu ? 'conv2d + relu + maxPool2d' : 'conv2d + maxPool2d'
  record(op, y, [x, weight, bias], [...saved, winners], (dy, saved, wanted) => {
    // Nobody wins where the rectifier gave 0, so this is the gradient before it, too.
    const dSum = empty(mapShape, dy.dtype)
    native.maxPool2dBackward(dy.handle, saved[length]!.handle, dSum.handle, pool.words)
    return gradients(dSum, saved, wanted)
  })
  winners.dispose()
  return y
}

/** @internal Whether {@link conv2dMaxPool2d} takes float32 tensors of these shapes. */
export function joinsMaxPool2d(
  op: string,
  x: readonly number[],
  weight: readonly number[],
  groups: number,
  options: WindowOptions,
  pooling: Pool2dOptions,
): boolean {
  const { shape, words } = convolutionGeometry(op, x, weight, groups, options)
  return native.conv2dMaxPool2dPays(words, poolGeometryOf(op, shape, pooling).words)
}
