// Windows cut out of images.

import { record } from '../autograd/record.js'
import { native } from '../native/index.js'
import { empty, type Tensor } from '../tensor/tensor.js'
import { checkImages, sizeWords } from './images.js'

/** @internal Where the window of one sample stands, and whether it is mirrored after it is cut. */
export interface Window {
  readonly top: number
  readonly left: number
  readonly flipRows: boolean
  readonly flipColumns: boolean
}

/**
 * @internal A window of `size` of each image, with the color `fill` beyond the image. Its gradient is a window again, of
 * the gradient.
 */
export function cropImages(
  op: string,
  x: Tensor,
  size: readonly [number, number],
  windows: readonly Window[],
  fill: Float64Array,
): Tensor {
  const { height, width } = checkImages(op, 'x', x)
  return record(op, cut(x, size, windows, fill), [x], [], (dy) => {
    const back = windows.map(({ top, left, flipRows, flipColumns }) => ({
      top: flipRows ? size[0] - height + top : -top,
      left: flipColumns ? size[1] - width + left : -left,
      flipRows,
      flipColumns,
    }))
    return [cut(dy, [height, width], back, new Float64Array(fill.length))]
  })
}

function cut(x: Tensor, size: readonly [number, number], windows: readonly Window[], fill: Float64Array): Tensor {
  const [samples, height, width, channels] = x.shape as [number, number, number, number]
  const y = empty([samples, ...size, channels], x.dtype)
  const words = Float64Array.from(
    windows.flatMap(({ top, left, flipRows, flipColumns }) => [top, left, +flipRows, +flipColumns]),
  )
  const sizes = sizeWords({ samples, height, width, channels }, size)
  native.cropImages(x.handle, y.handle, sizes, words, fill)
  return y
}
