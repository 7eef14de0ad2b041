// What the poolings share: options, geometry, and the checks of both.

import { rangeError, ShapeError } from '../errors.js'
import { checkFloat } from '../tensor/dtype.js'
import { checkShape, showShape } from '../tensor/shape.js'
import { checkTensor, type Tensor } from '../tensor/tensor.js'
import { checkSize, mostPixels, type Padding, type Size, type WindowAxis, windowAxes } from './window.js'

export interface Pool2dOptions {
  /** Height and width of the window, or one number for both. */
  size: Size
  /** Pixels from one window to the next. Default `size`: windows stand side by side. */
  stride?: Size | undefined
  /** Default 'valid'. Padding never counts: not as a maximum, and not in a mean. */
  padding?: Padding | undefined
  /** Pixels from one cell of the window to the next. Default 1. */
  dilation?: Size | undefined
  /** Refuse windows that do not tile the padded input exactly. Default false: pixels at the end are left out. */
  strict?: boolean | undefined
}

/** @internal */
export interface PoolGeometry {
  /** Of the output, `[N, H', W', C]`. */
  readonly shape: readonly number[]
  /** Cells of a window. */
  readonly taps: number
  /** What the native side takes. */
  readonly words: Float64Array
}

/** @internal The geometry of a pooling, or an error in the words of whoever called `op`. */
export function poolGeometry(op: string, x: Tensor, options: Pool2dOptions): PoolGeometry {
  checkImages(op, x)
  return poolGeometryOf(op, x.shape, options)
}

/** @internal The same for images of this shape. */
export function poolGeometryOf(op: string, x: readonly number[], options: Pool2dOptions): PoolGeometry {
  const size = checkSize(op, 'size', options?.size)
  const [height, width] = windowAxes(op, layout(x), [x[1]!, x[2]!], size, options, size)
  return geometryOf(op, x, height, width)
}

/** @internal One window over the whole of each image. */
export function planeGeometry(op: string, x: Tensor): PoolGeometry {
  checkImages(op, x)
  const plane = [x.shape[1]!, x.shape[2]!] as const
  const [height, width] = windowAxes(op, layout(x.shape), plane, plane, {})
  return geometryOf(op, x.shape, height, width)
}

function layout(x: readonly number[]): string {
  return `input ${showShape(x)} (N, H, W, C)`
}

function checkImages(op: string, x: Tensor): void {
  checkTensor(op, 'x', x)
  checkFloat(op, 'x', x.dtype)
  if (x.shape.length !== 4) {
    throw new ShapeError(`${op}: the input must have 4 axes, not ${x.shape.length}. ${layout(x.shape)}.`)
  }
}

function geometryOf(op: string, x: readonly number[], height: WindowAxis, width: WindowAxis): PoolGeometry {
  const images = layout(x)
  const [n, h, w, c] = x as readonly [number, number, number, number]
  refuseEmptyWindows(op, images, 'height', height)
  refuseEmptyWindows(op, images, 'width', width)
  const taps = height.kernel * width.kernel
  if (taps > mostPixels) {
    throw rangeError(`${op}: a window of ${height.kernel} x ${width.kernel} cells is too large. ${images}.`)
  }
  return {
    shape: checkShape(op, [n, height.output, width.output, c]),
    taps,
    words: Float64Array.of(
      ...[n, h, w, c, height.kernel, width.kernel],
      ...[height.stride, width.stride, height.dilation, width.dilation],
      ...[height.before, height.after, width.before, width.after],
    ),
  }
}

/** A window that stands on padding alone has no maximum and no mean. */
function refuseEmptyWindows(op: string, images: string, name: string, axis: WindowAxis): void {
  const { input, kernel, stride, dilation, before, after, output } = axis
  if (before === 0 && after === 0) return
  const span = (kernel - 1) * dilation + 1
  for (let position = 0; position < output; position++) {
    const start = position * stride - before
    const first = start < 0 ? Math.ceil(-start / dilation) : 0
    if (first >= kernel || start + first * dilation >= input) {
      throw new ShapeError(
        `${op}: window ${position} of ${output} along the ${name} stands on padding alone (${before} before and ${after} behind, window ${kernel}, stride ${stride}, dilation ${dilation}). ${images}. use less padding.`,
      )
    }
    // From one window that stands inside on, straight to the first that reaches behind the input.
    if (start >= 0 && start + span <= input) position = Math.floor((input - span + before) / stride)
  }
}
