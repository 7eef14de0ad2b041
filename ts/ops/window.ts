// Windows that slide over images: the options and the geometry that convolution and pooling share.

import { rangeError, ShapeError, show, typeError } from '../errors.js'

/** One number for height and width, or `[height, width]`. */
export type Size = number | readonly [number, number]

/**
 * `'valid'`: none. `'same'`: as much as makes the output ⌈input / stride⌉, the odd cell at the bottom and right. A
 * number: on every side. `[[top, bottom], [left, right]]`.
 */
export type Padding = 'valid' | 'same' | number | readonly [readonly [number, number], readonly [number, number]]

export interface WindowOptions {
  /** Pixels from one position to the next. */
  stride?: Size | undefined
  /** Default 'valid'. Padding counts as zeros in a convolution and not at all in pooling. */
  padding?: Padding | undefined
  /** Pixels from one tap of the window to the next. Default 1. */
  dilation?: Size | undefined
  /**
   * Refuse a window that does not tile the padded input exactly, as the course asks, instead of leaving out the pixels
   * at the end. Default false.
   */
  strict?: boolean | undefined
}

/** @internal A window along one axis. */
export interface WindowAxis {
  readonly input: number
  readonly kernel: number
  readonly stride: number
  readonly dilation: number
  readonly before: number
  readonly after: number
  readonly output: number
}

/** @internal The native side takes no larger number. */
export const mostPixels = 2 ** 31 - 1

/** @internal Throws unless `value` is a whole number from `least`. */
export function checkWhole(op: string, name: string, value: unknown, least: number): number {
  if (typeof value !== 'number')
    throw typeError(`${op}: ${name} must be a whole number from ${least}. got ${show(value)}`)
  if (!Number.isInteger(value) || value < least || value > mostPixels) {
    throw rangeError(`${op}: ${name} must be a whole number from ${least} to 2^31 - 1. got ${show(value)}`)
  }
  return value
}

/** @internal A size option as `[height, width]`. */
export function checkSize(op: string, name: string, value: unknown): readonly [number, number] {
  if (!Array.isArray(value)) {
    const both = checkWhole(op, name, value, 1)
    return [both, both]
  }
  if (value.length !== 2) {
    throw rangeError(
      `${op}: ${name} must be a number or [height, width]. got ${show(value)}, which has ${value.length}`,
    )
  }
  return [checkWhole(op, `${name} (height)`, value[0], 1), checkWhole(op, `${name} (width)`, value[1], 1)]
}

type Sides = readonly [readonly [number, number], readonly [number, number]]

/** The padding before and behind each axis, or undefined for 'same'. */
function checkPadding(op: string, padding: unknown): Sides | undefined {
  if (padding === 'same') return undefined
  if (padding === 'valid') {
    return [
      [0, 0],
      [0, 0],
    ]
  }
  const forms = "'valid', 'same', a number or [[top, bottom], [left, right]]"
  if (typeof padding === 'number') {
    const all = checkWhole(op, 'padding', padding, 0)
    return [
      [all, all],
      [all, all],
    ]
  }
  if (!Array.isArray(padding)) throw typeError(`${op}: padding must be ${forms}. got ${show(padding)}`)
  if (padding.length !== 2 || !padding.every((side) => Array.isArray(side) && side.length === 2)) {
    throw rangeError(`${op}: padding must be ${forms}. got ${show(padding)}`)
  }
  const [[top, bottom], [left, right]] = padding as [unknown[], unknown[]]
  return [
    [checkWhole(op, 'padding (top)', top, 0), checkWhole(op, 'padding (bottom)', bottom, 0)],
    [checkWhole(op, 'padding (left)', left, 0), checkWhole(op, 'padding (right)', right, 0)],
  ]
}

/**
 * @internal The axes of a window of `kernel` over images of `size`, both `[height, width]`. `images` is how the images
 * look in an error, such as `input [64, 28, 28, 1] (N, H, W, C)`.
 */
export function windowAxes(
  op: string,
  images: string,
  size: readonly [number, number],
  kernel: readonly [number, number],
  options: WindowOptions,
  defaultStride: readonly [number, number] = [1, 1],
): readonly [WindowAxis, WindowAxis] {
  const stride = options.stride === undefined ? defaultStride : checkSize(op, 'stride', options.stride)
  const { padding = 'valid', strict = false } = options
  const dilation = checkSize(op, 'dilation', options.dilation === undefined ? 1 : options.dilation)
  const sides = checkPadding(op, padding)
  if (typeof strict !== 'boolean') throw typeError(`${op}: strict must be a boolean. got ${show(strict)}`)
  const axis = (i: 0 | 1): WindowAxis =>
    windowAxis(op, images, i === 0 ? 'height' : 'width', size[i], kernel[i], stride[i], dilation[i], sides?.[i], strict)
  return [axis(0), axis(1)]
}

function windowAxis(
  op: string,
  images: string,
  name: 'height' | 'width',
  input: number,
  kernel: number,
  stride: number,
  dilation: number,
  sides: readonly [number, number] | undefined,
  strict: boolean,
): WindowAxis {
  const span = (kernel - 1) * dilation + 1
  let [before, after] = sides ?? [0, 0]
  if (sides === undefined) {
    const total = Math.max((Math.ceil(input / stride) - 1) * stride + span - input, 0)
    before = Math.floor(total / 2)
    after = total - before
  }
  const padded = input + before + after
  const spread = dilation === 1 ? '' : ` with dilation ${dilation}, so ${span},`
  if (input === 0) throw new ShapeError(`${op}: the ${name} of the input is 0. ${images}.`)
  if (span > padded) {
    const around = padded === input ? '' : `, ${padded} with padding`
    const enough = Math.ceil((span - input) / 2)
    throw new ShapeError(
      `${op}: a window of ${name} ${kernel}${spread} does not fit in an input of ${name} ${input}${around}, so nothing would come out. ${images}. use a smaller window, or padding of at least ${enough} on every side.`,
    )
  }
  if (strict && (padded - span) % stride !== 0 && sides !== undefined) {
    const fitting = divisors(padded - span)
    throw new ShapeError(
      `${op}: a window of ${name} ${kernel}${spread} and stride ${stride} does not tile an input of ${name} ${padded}${padded === input ? '' : ' (with padding)'}: (${padded} − ${span}) / ${stride} + 1 = ${((padded - span) / stride + 1).toFixed(2)}. ${images}. strides that fit: ${fitting.join(', ')}.`,
    )
  }
  return { input, kernel, stride, dilation, before, after, output: Math.floor((padded - span) / stride) + 1 }
}

/** The first few numbers that divide `n`, and `n`: strides that tile exactly. */
function divisors(n: number): number[] {
  const found: number[] = []
  for (let i = 1; i * i <= n; i++) if (n % i === 0) found.push(i, n / i)
  const all = [...new Set(found)].sort((a, b) => a - b)
  return all.length <= 12 ? all : [...all.slice(0, 11), n]
}
