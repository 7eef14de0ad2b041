// LeNet-5.

import { checkChoice } from '../initializers/options.js'
import type { ActivationName } from '../layers/activations.js'
import { avgPool2d, conv2d, dense, flatten, maxPool2d } from '../layers/index.js'
import { type ClassifierOptions, checkClassifier, kernelOptions, modelOptions } from './classifier-options.js'
import { type Sequential, sequential } from './sequential.js'

export interface Lenet5Options extends ClassifierOptions {
  /** After every layer but the last. Default 'tanh'. */
  activation?: ActivationName
  /** What makes images smaller. Default 'avg'. */
  pooling?: 'avg' | 'max'
}

/**
 * LeNet-5: two convolutions of 5 × 5, each with pooling, then fully connected layers of 120, 84 and `classes`. Images below
 * 32 × 32, such as digits of 28 × 28, get a border in the first layer. `activation: 'relu', pooling: 'max'` makes it
 * modern. It has 61,706 parameters with one channel and ten classes.
 *
 * Source: LeCun, Bottou, Bengio and Haffner 1998, in the form usual today: poolings without coefficients, every map of
 * the second convolution connected to all before, and a linear last layer.
 *
 * @example
 * ```ts
 * import { models } from 'ferrograd'
 * const model = models.lenet5({ inputShape: [28, 28, 1], classes: 10 })
 * console.log(model.countParams()) // 61706
 * ```
 */
export function lenet5(options: Lenet5Options): Sequential {
  checkClassifier('models.lenet5', options, ['activation', 'pooling'])
  const { inputShape, classes, activation = 'tanh', pooling = 'avg' } = options
  checkChoice('models.lenet5', 'pooling', pooling, ['avg', 'max'])
  const [height = 32, width = 32] = inputShape
  const border = (size: number): [number, number] => {
    const missing = Math.max(32 - size, 0)
    return [Math.floor(missing / 2), Math.ceil(missing / 2)]
  }
  const kernel = kernelOptions(options)
  const pool = () => (pooling === 'avg' ? avgPool2d({ poolSize: 2 }) : maxPool2d({ poolSize: 2 }))
  return sequential({
    ...modelOptions(options),
    inputShape,
    layers: [
      conv2d({ filters: 6, kernelSize: 5, padding: [border(height), border(width)], activation, ...kernel }),
      pool(),
      conv2d({ filters: 16, kernelSize: 5, activation, ...kernel }),
      pool(),
      flatten(),
      dense({ units: 120, activation, ...kernel }),
      dense({ units: 84, activation, ...kernel }),
      dense({ units: classes, ...kernel }),
    ],
  })
}
