// AlexNet.

import { checkBoolean, checkCount } from '../initializers/options.js'
import { conv2d, dense, dropout, flatten, maxPool2d } from '../layers/index.js'
import {
  type ClassifierOptions,
  checkClassifier,
  checkImageSize,
  kernelOptions,
  modelOptions,
} from './classifier-options.js'
import { type Sequential, sequential } from './sequential.js'

export interface AlexNetOptions extends ClassifierOptions {
  /** Of the two hidden fully connected layers. Default 4096. */
  units?: number
  /** Of the second, fourth and fifth convolution, which the authors spread over two graphics cards. Default 2. */
  groups?: number
  /** Behind the hidden fully connected layers. Default 0.5. */
  dropoutRate?: number
  /**
   * Whether images are small, such as CIFAR-10's 32 × 32: a first convolution of 5 × 5 without stride, in place of 11 × 11 with
   * stride 4. Default false.
   */
  smallImages?: boolean
}

/**
 * AlexNet: five convolutions, three poolings that overlap, three fully connected layers. Made for `[227, 227, 3]`, where it
 * has 60,965,224 parameters with 1,000 classes: those of the paper, with its two groups (62,378,344 with `groups: 1`).
 * The paper says 224, at which its first layer does not tile; 227 gives the 55 × 55 that it goes on with. Images need
 * at least 67 × 67, or 15 × 15 with `smallImages`.
 *
 * Source: Krizhevsky, Sutskever and Hinton 2012, without the local response normalisation, which later work found to
 * be of no use. What PyTorch calls AlexNet is a later one, with other numbers of filters (Krizhevsky 2014).
 *
 * @example
 * ```ts
 * import { models } from 'ferrograd'
 * const model = models.alexNet({ inputShape: [227, 227, 3], classes: 10, units: 64 })
 * console.log(model.layers[1]!.name, model.outputShape) // maxPool2d_1 [ null, 10 ]
 * ```
 */
export function alexNet(options: AlexNetOptions): Sequential {
  checkClassifier('models.alexNet', options, ['units', 'groups', 'dropoutRate', 'smallImages'])
  const { inputShape, classes, units = 4096, groups = 2, dropoutRate = 0.5, smallImages = false } = options
  checkCount('models.alexNet', 'units', units)
  checkBoolean('models.alexNet', 'smallImages', smallImages)
  const way = smallImages ? 'pad or resize them' : 'smallImages: true takes 15 x 15 and more'
  checkImageSize('models.alexNet', inputShape, smallImages ? 15 : 67, way)
  const same = {
    padding: 'same',
    activation: 'relu',
    kernelInitializer: 'heNormal',
    ...kernelOptions(options),
  } as const
  const stem = smallImages ? { kernelSize: 5 } : ({ kernelSize: 11, strides: 4, padding: 'valid' } as const)
  const pool = () => maxPool2d({ poolSize: 3, strides: 2 })
  const { padding: _, ...hidden } = same
  return sequential({
    ...modelOptions(options),
    inputShape,
    layers: [
      conv2d({ ...same, filters: 96, ...stem }),
      pool(),
      conv2d({ ...same, filters: 256, kernelSize: 5, groups }),
      pool(),
      conv2d({ ...same, filters: 384, kernelSize: 3 }),
      conv2d({ ...same, filters: 384, kernelSize: 3, groups }),
      conv2d({ ...same, filters: 256, kernelSize: 3, groups }),
      pool(),
      flatten(),
      dense({ ...hidden, units }),
      dropout({ rate: dropoutRate }),
      dense({ ...hidden, units }),
      dropout({ rate: dropoutRate }),
      dense({ units: classes, ...kernelOptions(options) }),
    ],
  })
}
