// Residual networks: each block adds to what it was given.

import { checkBoolean } from '../initializers/options.js'
import { activation, add, batchNorm, conv2d, dense, globalAvgPool2d, maxPool2d } from '../layers/index.js'
import { input, type SymbolicTensor } from '../layers/symbolic.js'
import type { RegularizerOption } from '../regularizers/regularizer.js'
import { type ClassifierOptions, checkClassifier, kernelOptions } from './classifier-options.js'
import { type Model, model } from './model.js'

export interface ResNetOptions extends ClassifierOptions {
  /**
   * Whether images are small, such as CIFAR-10's 32 × 32: a first convolution of 3 × 3 without stride or pooling, in place of
   * 7 × 7 with both, which leave an eighth. Default false.
   */
  smallImages?: boolean
}

const kinds = {
  resNet18: { depths: [2, 2, 2, 2], bottleneck: false },
  resNet34: { depths: [3, 4, 6, 3], bottleneck: false },
  resNet50: { depths: [3, 4, 6, 3], bottleneck: true },
} as const

/**
 * A residual network of 18 layers with weights: 8 blocks of two convolutions. Made for `[224, 224, 3]`, where 11,689,512
 * parameters learn with 1,000 classes. `smallImages` is for those of CIFAR's size. Where a block halves its maps, or changes
 * their number, the shortcut is a convolution of 1 × 1 with normalisation (the paper's option B).
 *
 * Source: He, Zhang, Ren and Sun 2016.
 *
 * @example
 * ```ts
 * import { models } from 'ferrograd'
 * const model = models.resNet18({ inputShape: [32, 32, 3], classes: 10, smallImages: true })
 * console.log(model.outputShape, model.layers.length) // [ null, 10 ] 67
 * ```
 */
export function resNet18(options: ResNetOptions): Model {
  return resNet('resNet18', options)
}

/**
 * A residual network of 34 layers with weights: 16 blocks of two convolutions. Made for `[224, 224, 3]`, where 21,797,672
 * parameters learn with 1,000 classes. Otherwise as {@link resNet18}.
 *
 * Source: He, Zhang, Ren and Sun 2016.
 */
export function resNet34(options: ResNetOptions): Model {
  return resNet('resNet34', options)
}

/**
 * A residual network of 50 layers with weights: 16 blocks of three convolutions. Made for `[224, 224, 3]`, where
 * 25,557,032 parameters learn with 1,000 classes. Where a block halves its maps the stride is in its 3 × 3 convolution
 * (version 1.5, as in torchvision), not in the first 1 × 1 as in the paper. Otherwise as {@link resNet18}.
 *
 * Source: He, Zhang, Ren and Sun 2016; the place of the stride: Gross and Wilber 2016.
 */
export function resNet50(options: ResNetOptions): Model {
  return resNet('resNet50', options)
}

/** What every convolution of the network has in common. */
interface Style {
  readonly kernelRegularizer?: RegularizerOption
}

function resNet(kind: keyof typeof kinds, options: ResNetOptions): Model {
  const op = `models.${kind}`
  checkClassifier(op, options, ['smallImages'])
  const { inputShape, classes, smallImages = false, name, dtype } = options
  checkBoolean(op, 'smallImages', smallImages)
  const { depths, bottleneck } = kinds[kind]
  const style = kernelOptions(options)
  const image = input({ shape: inputShape, ...(dtype !== undefined && { dtype }) })
  let x = smallImages ? convolve(image, 'stem', 64, 3, 1, style) : convolve(image, 'stem', 64, 7, 2, style)
  x = rectify(x, 'stem')
  if (!smallImages) x = maxPool2d({ name: 'stem_pool', poolSize: 3, strides: 2, padding: 1 }).apply(x)
  depths.forEach((depth, stage) => {
    for (let i = 0; i < depth; i++) {
      const stride = i === 0 && stage > 0 ? 2 : 1
      x = block(x, `stage${stage + 1}_block${i + 1}`, 64 * 2 ** stage, stride, bottleneck, style)
    }
  })
  const scores = dense({ name: 'head', units: classes, ...style }).apply(globalAvgPool2d({ name: 'pool' }).apply(x))
  return model({ inputs: image, outputs: scores, ...(name !== undefined && { name }) })
}

/** y = relu(x + F(x)), where F is two convolutions, or three of which the outer ones change the number of channels. */
function block(
  x: SymbolicTensor,
  name: string,
  filters: number,
  stride: number,
  bottleneck: boolean,
  style: Style,
): SymbolicTensor {
  const outputs = bottleneck ? 4 * filters : filters
  let y: SymbolicTensor
  if (bottleneck) {
    y = rectify(convolve(x, `${name}_1`, filters, 1, 1, style), `${name}_1`)
    y = rectify(convolve(y, `${name}_2`, filters, 3, stride, style), `${name}_2`)
    y = convolve(y, `${name}_3`, outputs, 1, 1, style)
  } else {
    y = rectify(convolve(x, `${name}_1`, filters, 3, stride, style), `${name}_1`)
    y = convolve(y, `${name}_2`, outputs, 3, 1, style)
  }
  const same = stride === 1 && x.shape[3] === outputs
  const shortcut = same ? x : convolve(x, `${name}_shortcut`, outputs, 1, stride, style)
  return rectify(add({ name: `${name}_add` }).apply([shortcut, y]), name)
}

/** A convolution without bias, and batch normalisation, which has one. */
function convolve(
  x: SymbolicTensor,
  name: string,
  filters: number,
  kernelSize: number,
  strides: number,
  style: Style,
): SymbolicTensor {
  const convolution = conv2d({
    name: `${name}_conv`,
    filters,
    kernelSize,
    strides,
    padding: (kernelSize - 1) / 2,
    useBias: false,
    kernelInitializer: 'heNormal',
    ...style,
  })
  return batchNorm({ name: `${name}_norm`, momentum: 0.9, epsilon: 1e-5 }).apply(convolution.apply(x))
}

function rectify(x: SymbolicTensor, name: string): SymbolicTensor {
  return activation({ name: `${name}_relu`, activation: 'relu' }).apply(x)
}
