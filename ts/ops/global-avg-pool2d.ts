// The mean of each channel.

import type { Tensor } from '../tensor/tensor.js'
import { means } from './avg-pool2d.js'
import { planeGeometry } from './pool2d.js'

/**
 * The mean of each channel of each image: `[N, H, W, C] -> [N, C]`, float. Throws a `ShapeError` when the images have no
 * pixels.
 *
 * Source: Lin, Chen and Yan 2014.
 *
 * @example
 * ```ts
 * import { globalAvgPool2d, tensor } from 'ferrograd'
 * const image = tensor([1, 10, 2, 20, 3, 30, 4, 40], { shape: [1, 2, 2, 2] })
 * console.log(await globalAvgPool2d(image).array()) // [ [ 2.5, 25 ] ]
 * ```
 */
export function globalAvgPool2d(x: Tensor): Tensor {
  const geometry = planeGeometry('globalAvgPool2d', x)
  return means('globalAvgPool2d', x, geometry, [x.shape[0]!, x.shape[3]!])
}
