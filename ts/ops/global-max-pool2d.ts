// The largest value of each channel.

import type { Tensor } from '../tensor/tensor.js'
import { largest } from './max-pool2d.js'
import { planeGeometry } from './pool2d.js'

/**
 * The largest value of each channel of each image: `[N, H, W, C] -> [N, C]`, float. The first of equal values wins; a NaN
 * beats every number. Throws a `ShapeError` when the images have no pixels.
 *
 * @example
 * ```ts
 * import { globalMaxPool2d, tensor } from 'ferrograd'
 * const image = tensor([1, 10, 2, 20, 3, 30, 4, 40], { shape: [1, 2, 2, 2] })
 * console.log(await globalMaxPool2d(image).array()) // [ [ 4, 40 ] ]
 * ```
 */
export function globalMaxPool2d(x: Tensor): Tensor {
  const geometry = planeGeometry('globalMaxPool2d', x)
  return largest('globalMaxPool2d', x, geometry, [x.shape[0]!, x.shape[3]!])
}
