// The arithmetic of a convolution, without computing one.

import { rangeError, ShapeError, show, typeError } from '../errors.js'
import { checkBoolean, checkCount, checkOptions } from '../initializers/options.js'
import { checkSize, mostPixels, type Size, type WindowOptions, windowAxes } from '../ops/window.js'
import { showShape } from '../tensor/shape.js'

export interface ConvOutputOptions extends WindowOptions {
  /** One image: `[height, width, channels]`. */
  input: readonly [number, number, number]
  /** How many channels come out. */
  filters: number
  /** Of the filter, for both axes or `[height, width]`. */
  kernel: Size
  /** Cuts channels and filters into groups that have nothing to do with each other. Default 1. */
  groups?: number | undefined
  /** Whether each filter has a bias. Default true. */
  useBias?: boolean | undefined
}

export interface ConvOutput {
  /** The output volume of one image: `[height, width, filters]`. */
  shape: [number, number, number]
  /** Weights and biases: (kH · kW · C / groups + 1) · filters. */
  parameters: number
  /**
   * Floating-point operations for one image. A multiplication and an addition are 2: 2 · kH · kW · C / groups for each number
   * that comes out, and 1 for its bias, as in `model.summary()`.
   */
  flops: number
}

/**
 * What a convolution makes of an image, and what it costs: the output volume, its height ⌊(H + top + bottom − ((kH − 1) ·
 * dilation + 1)) / stride⌋ + 1 (W + 2P − F over S, plus 1, in the course's letters), the parameters and the FLOPs.
 *
 * `stride` and `dilation` default to 1, `padding` to 'valid'; all options are those of {@link conv2d}. A filter that does not
 * tile the image leaves out the pixels at the end, as in every framework; with `strict: true` it is a {@link ShapeError} that
 * names the strides that fit, as the course explains it. So is a filter larger than the padded image, whose output would
 * be empty: the message says how much padding it takes.
 *
 * Source: CS231n, "Convolutional Networks".
 *
 * @example
 * ```ts
 * import { convOutput } from 'ferrograd'
 * const { shape, parameters, flops } = convOutput({ input: [32, 32, 3], filters: 10, kernel: 5, padding: 2 })
 * console.log(shape, parameters, flops) // [ 32, 32, 10 ] 760 1546240
 * console.log(convOutput({ input: [227, 227, 3], filters: 96, kernel: 11, stride: 4 }).shape) // [ 55, 55, 96 ]
 * ```
 */
export function convOutput(options: ConvOutputOptions): ConvOutput {
  const op = 'convOutput'
  checkOptions(op, options, optionNames)
  const { groups = 1, useBias = true } = options
  const [height, width, channels] = checkImage(op, options.input)
  const filters = checkCount(op, 'filters', options.filters)
  const kernel = checkSize(op, 'kernel', options.kernel)
  checkCount(op, 'groups', groups)
  checkBoolean(op, 'useBias', useBias)
  const image = `input ${showShape(options.input)} (H, W, C)`
  if (channels % groups !== 0) {
    throw new ShapeError(`${op}: ${groups} groups do not divide the ${channels} channels of the input. ${image}.`)
  }
  if (filters % groups !== 0) throw rangeError(`${op}: ${groups} groups do not divide the ${filters} filters`)
  const [y, x] = windowAxes(op, image, [height, width], kernel, options)
  const products = (kernel[0] * kernel[1] * channels) / groups
  return {
    shape: [y.output, x.output, filters],
    parameters: (products + Number(useBias)) * filters,
    flops: (2 * products + Number(useBias)) * y.output * x.output * filters,
  }
}

const optionNames = [
  'input',
  'filters',
  'kernel',
  'stride',
  'padding',
  'dilation',
  'groups',
  'useBias',
  'strict',
] as const

function checkImage(op: string, input: unknown): readonly [number, number, number] {
  const form = 'input must be [height, width, channels] of one image'
  if (!Array.isArray(input)) throw typeError(`${op}: ${form}. got ${show(input)}`)
  const whole = input.every((size) => Number.isInteger(size) && size >= 1 && size <= mostPixels)
  if (input.length !== 3 || !whole) throw rangeError(`${op}: ${form}, whole numbers from 1. got ${show(input)}`)
  return input as unknown as readonly [number, number, number]
}
