// The first classifiers of every course: one layer, and two.

import { checkCount } from '../initializers/options.js'
import type { ActivationName } from '../layers/activations.js'
import { dense, flatten } from '../layers/index.js'
import { type ClassifierOptions, checkClassifier, kernelOptions, modelOptions } from './classifier-options.js'
import { type Sequential, sequential } from './sequential.js'

export interface TwoLayerNetOptions extends ClassifierOptions {
  /** How many numbers are between the layers. Default 100. */
  units?: number
  /** Between the layers. Default 'relu'. */
  activation?: ActivationName
}

/**
 * Scores that are a linear function of the input: `[N, …] -> [N, classes]`. With the loss `svm` or `softmaxCrossEntropy`
 * the linear classifiers of the course CS231n.
 *
 * @example
 * ```ts
 * import { models } from 'ferrograd'
 * const model = models.linearClassifier({ inputShape: [32, 32, 3], classes: 10 })
 * console.log(model.countParams()) // 30730
 * ```
 */
export function linearClassifier(options: ClassifierOptions): Sequential {
  checkClassifier('models.linearClassifier', options)
  return sequential({
    ...modelOptions(options),
    inputShape: options.inputShape,
    layers: [flatten(), dense({ units: options.classes, ...kernelOptions(options) })],
  })
}

/**
 * Two fully connected layers with an activation between them: `[N, …] -> [N, classes]`.
 *
 * @example
 * ```ts
 * import { models } from 'ferrograd'
 * const model = models.twoLayerNet({ inputShape: [32, 32, 3], units: 50, classes: 10 })
 * console.log(model.countParams()) // 154160
 * ```
 */
export function twoLayerNet(options: TwoLayerNetOptions): Sequential {
  checkClassifier('models.twoLayerNet', options, ['units', 'activation'])
  const { units = 100, activation = 'relu', classes } = options
  checkCount('models.twoLayerNet', 'units', units)
  return sequential({
    ...modelOptions(options),
    inputShape: options.inputShape,
    layers: [
      flatten(),
      dense({ units, activation, kernelInitializer: 'heNormal', ...kernelOptions(options) }),
      dense({ units: classes, ...kernelOptions(options) }),
    ],
  })
}
