// AlexNet.

import { rangeError, show, typeError } from '../errors.js'
import { checkBoolean, checkCount } from '../initializers/options.js'
import { conv2d, dense, dropout, flatten, maxPool2d } from '../layers/index.js'
import type { Module } from '../layers/module.js'
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
  /**
   * 2: the network of 2012, which the authors spread over two graphics cards. 1: that of 2014 for one, with fewer filters,
   * which torchvision has. Default 2.
   */
  columns?: 1 | 2
  /** Of the second, fourth and fifth convolution of the network with two columns. Default 2. */
  groups?: number
  /** Behind the hidden fully connected layers. Default 0.5. */
  dropoutRate?: number
  /**
   * Whether images are small, such as CIFAR-10's 32 × 32: a first convolution of 5 × 5 without stride, in place of 11 × 11 with
   * stride 4. Default false.
   */
  smallImages?: boolean
}

/** Of the first four convolutions, by the number of columns. */
const filters = { 1: [64, 192, 384, 256], 2: [96, 256, 384, 384] } as const

/**
 * AlexNet: five convolutions, three poolings that overlap, three fully connected layers. Made for `[227, 227, 3]`, where it
 * has 60,965,224 parameters with 1,000 classes: those of the paper, with its two groups (62,378,344 with `groups: 1`).
 * The paper says 224, at which its first layer does not tile; 227 gives the 55 × 55 that it goes on with. Images need
 * at least 67 × 67, or 15 × 15 with `smallImages`.
 *
 * With `columns: 1` it is torchvision's AlexNet, made for `[224, 224, 3]`: 61,100,840 parameters with 1,000 classes, a border
 * of 2 in the first layer, dropout in front of the hidden fully connected layers instead of behind them. Images need at
 * least 63 × 63.
 *
 * Source: Krizhevsky, Sutskever and Hinton 2012, without the local response normalisation, which later work found to
 * be of no use; with one column Krizhevsky 2014.
 *
 * @example
 * ```ts
 * import { models } from 'ferrograd'
 * const model = models.alexNet({ inputShape: [227, 227, 3], classes: 10, units: 64 })
 * console.log(model.layers[1]!.name, model.outputShape) // maxPool2d_1 [ null, 10 ]
 * ```
 */
export function alexNet(options: AlexNetOptions): Sequential {
  const op = 'models.alexNet'
  checkClassifier(op, options, ['units', 'columns', 'groups', 'dropoutRate', 'smallImages'])
  const { inputShape, classes, units = 4096, columns = 2, groups = 2, dropoutRate = 0.5, smallImages = false } = options
  checkCount(op, 'units', units)
  checkBoolean(op, 'smallImages', smallImages)
  if (columns !== 1 && columns !== 2) throw rangeError(`${op}: columns must be 1 or 2. got ${show(columns)}`)
  if (columns === 1 && options.groups !== undefined) {
    throw typeError(`${op}: groups has no effect with columns: 1, whose convolutions have none`)
  }
  const way = smallImages ? 'pad or resize them' : 'smallImages: true takes 15 x 15 and more'
  checkImageSize(op, inputShape, smallImages ? 15 : columns === 1 ? 63 : 67, way)
  const kernel = kernelOptions(options)
  const hidden = { activation: 'relu', kernelInitializer: 'heNormal', ...kernel } as const
  const same = { padding: 'same', ...hidden } as const
  const border = columns === 1 ? 2 : 'valid'
  const stem = smallImages ? { kernelSize: 5 } : ({ kernelSize: 11, strides: 4, padding: border } as const)
  const pool = () => maxPool2d({ poolSize: 3, strides: 2 })
  const split = columns === 1 ? 1 : groups
  const [first, second, third, fourth] = filters[columns]
  const drop = () => dropout({ rate: dropoutRate })
  const full = () => dense({ ...hidden, units })
  const classifier: Module[] = columns === 1 ? [drop(), full(), drop(), full()] : [full(), drop(), full(), drop()]
  return sequential({
    ...modelOptions(options),
    inputShape,
    layers: [
      conv2d({ ...same, filters: first, ...stem }),
      pool(),
      conv2d({ ...same, filters: second, kernelSize: 5, groups: split }),
      pool(),
      conv2d({ ...same, filters: third, kernelSize: 3 }),
      conv2d({ ...same, filters: fourth, kernelSize: 3, groups: split }),
      conv2d({ ...same, filters: 256, kernelSize: 3, groups: split }),
      pool(),
      flatten(),
      ...classifier,
      dense({ units: classes, ...kernel }),
    ],
  })
}
