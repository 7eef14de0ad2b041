// AlexNet.

import { checkCount } from '../initializers/options.js'
import { conv2d, dense, dropout, flatten, maxPool2d } from '../layers/index.js'
import { type ClassifierOptions, checkClassifier, kernelOptions, modelOptions } from './classifier-options.js'
import { type Sequential, sequential } from './sequential.js'

export interface AlexNetOptions extends ClassifierOptions {
  /** Of the two hidden fully connected layers. Default 4096. */
  units?: number
  /** Of the second, fourth and fifth convolution, which the authors spread over two graphics cards. Default 2. */
  groups?: number
  /** Behind the hidden fully connected layers. Default 0.5. */
  dropoutRate?: number
}

/**
 * AlexNet: five convolutions, three poolings that overlap, three fully connected layers. Made for `[227, 227, 3]`.
 *
 * Source: Krizhevsky, Sutskever and Hinton 2012, without the local response normalisation, which later work found to
 * be of no use.
 *
 * @example
 * ```ts
 * import { models } from 'ferrograd'
 * const model = models.alexNet({ inputShape: [227, 227, 3], classes: 10, units: 64 })
 * console.log(model.layers[1]!.name, model.outputShape) // maxPool2d_1 [ null, 10 ]
 * ```
 */
export function alexNet(options: AlexNetOptions): Sequential {
  checkClassifier('models.alexNet', options, ['units', 'groups', 'dropoutRate'])
  const { inputShape, classes, units = 4096, groups = 2, dropoutRate = 0.5 } = options
  checkCount('models.alexNet', 'units', units)
  const same = {
    padding: 'same',
    activation: 'relu',
    kernelInitializer: 'heNormal',
    ...kernelOptions(options),
  } as const
  const pool = () => maxPool2d({ poolSize: 3, strides: 2 })
  const { padding: _, ...hidden } = same
  return sequential({
    ...modelOptions(options),
    inputShape,
    layers: [
      conv2d({ ...same, filters: 96, kernelSize: 11, strides: 4, padding: 'valid' }),
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
