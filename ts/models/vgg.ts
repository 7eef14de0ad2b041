// The networks of the Visual Geometry Group: small windows, many layers.

import { checkCount } from '../initializers/options.js'
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

export interface VggOptions extends ClassifierOptions {
  /** Of the two hidden fully connected layers. Default 4096. */
  units?: number
  /** Behind the hidden fully connected layers. Default 0.5. */
  dropoutRate?: number
}

/** How many convolutions each of the five blocks has. */
const blocks = {
  vgg11: [1, 1, 2, 2, 2],
  vgg16: [2, 2, 3, 3, 3],
  vgg19: [2, 2, 4, 4, 4],
} as const

const filters = [64, 128, 256, 512, 512] as const

/**
 * VGG with 11 layers that have weights (configuration A): convolutions of 3 × 3 in five blocks, each with pooling, then
 * three fully connected layers. Made for `[224, 224, 3]`, where it has 132,863,336 parameters with 1,000 classes; images
 * need at least 32 × 32.
 *
 * Source: Simonyan and Zisserman 2015.
 */
export function vgg11(options: VggOptions): Sequential {
  return vgg('vgg11', options)
}

/**
 * VGG with 16 layers that have weights (configuration D): convolutions of 3 × 3 in five blocks, each with pooling, then
 * three fully connected layers. Made for `[224, 224, 3]`, where it has 138,357,544 parameters with 1,000 classes; images
 * need at least 32 × 32. With images of CIFAR's size fewer `units`, such as 512, are enough.
 *
 * Source: Simonyan and Zisserman 2015.
 *
 * @example
 * ```ts
 * import { models } from 'ferrograd'
 * const model = models.vgg16({ inputShape: [32, 32, 3], classes: 10, units: 512 })
 * console.log(model.countParams()) // 15245130
 * ```
 */
export function vgg16(options: VggOptions): Sequential {
  return vgg('vgg16', options)
}

/**
 * VGG with 19 layers that have weights (configuration E): convolutions of 3 × 3 in five blocks, each with pooling, then
 * three fully connected layers. Made for `[224, 224, 3]`, where it has 143,667,240 parameters with 1,000 classes; images
 * need at least 32 × 32.
 *
 * Source: Simonyan and Zisserman 2015.
 */
export function vgg19(options: VggOptions): Sequential {
  return vgg('vgg19', options)
}

function vgg(kind: keyof typeof blocks, options: VggOptions): Sequential {
  const op = `models.${kind}`
  checkClassifier(op, options, ['units', 'dropoutRate'])
  const { inputShape, classes, units = 4096, dropoutRate = 0.5 } = options
  checkCount(op, 'units', units)
  checkImageSize(op, inputShape, 32, 'pad or resize them')
  const kernel = kernelOptions(options)
  const rectified = { activation: 'relu', kernelInitializer: 'heNormal', ...kernel } as const
  const row: Module[] = []
  blocks[kind].forEach((depth, i) => {
    for (let j = 1; j <= depth; j++) {
      const name = `block${i + 1}_conv${j}`
      row.push(conv2d({ name, filters: filters[i]!, kernelSize: 3, padding: 'same', ...rectified }))
    }
    row.push(maxPool2d({ name: `block${i + 1}_pool`, poolSize: 2 }))
  })
  row.push(
    flatten(),
    dense({ units, ...rectified }),
    dropout({ rate: dropoutRate }),
    dense({ units, ...rectified }),
    dropout({ rate: dropoutRate }),
    dense({ units: classes, ...kernel }),
  )
  return sequential({ ...modelOptions(options), inputShape, layers: row })
}
