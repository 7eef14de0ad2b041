// Convolution the other way round.

import { record, recording } from '../autograd/record.js'
import { DTypeError, ShapeError, show, typeError } from '../errors.js'
import { native } from '../native/index.js'
import { checkFloat } from '../tensor/dtype.js'
import { checkShape, showShape } from '../tensor/shape.js'
import { checkTensor, empty, type Tensor } from '../tensor/tensor.js'
import { type Activation, activate, checkActivation } from './activate.js'
import { add } from './add.js'
import type { Algorithms } from './conv2d.js'
import { type Precision, precisionCode } from './precision.js'
import { transpose } from './transpose.js'
import { checkSize, checkWhole, type Padding, type Size, windowAxes } from './window.js'

export interface ConvTranspose2dOptions {
  /** `[O]`: added to every position. */
  bias?: Tensor | undefined
  /** Pixels of the output for one of the input. Default 1. */
  stride?: Size | undefined
  /** Cells cut off the output. `'same'` makes its size input · stride. Default 'valid': none. */
  padding?: Padding | undefined
  /** Applied last. Default none. */
  activation?: Activation | undefined
  /** How exact it must be in float32. Default what the model was compiled with, or 'highest'. */
  precision?: Precision | undefined
}

/**
 * The transpose of a convolution, which enlarges images: `[N, H, W, C], [kH, kW, C, O] -> [N, H', W', O]`, float, with
 * H' = (H − 1) · stride + kH − what padding cuts off. Every pixel lays a filter down, scaled by its value; where filters
 * overlap they add up. It is the gradient of `conv2d` with respect to its input.
 *
 * Throws a {@link ShapeError} when sizes do not fit, a `RangeError` or `TypeError` for options out of range and a
 * {@link DTypeError} when dtypes differ or are integers.
 *
 * Source: Zeiler et al. 2010; Dumoulin and Visin 2016.
 *
 * @example
 * ```ts
 * import { convTranspose2d, ones, tensor } from 'ferrograd'
 * const x = tensor([1, 2], { shape: [1, 1, 2, 1] })
 * const y = convTranspose2d(x, ones([1, 2, 1, 1]), { stride: [1, 2] })
 * console.log(await y.data()) // Float32Array(4) [ 1, 1, 2, 2 ]
 * ```
 */
export function convTranspose2d(x: Tensor, weight: Tensor, options: ConvTranspose2dOptions = {}): Tensor {
  checkTensor('convTranspose2d', 'x', x)
  checkTensor('convTranspose2d', 'weight', weight)
  if (typeof options !== 'object' || options === null) {
    throw typeError(`convTranspose2d: options must be an object. got ${show(options)}`)
  }
  const { bias, activation } = options
  if (bias !== undefined) checkTensor('convTranspose2d', 'bias', bias)
  if (activation !== undefined) checkActivation('convTranspose2d', activation)
  checkFloat('convTranspose2d', 'x', x.dtype)
  for (const [name, other] of Object.entries({ weight, bias })) {
    if (other !== undefined && other.dtype !== x.dtype) {
      throw new DTypeError(
        `convTranspose2d: x has dtype ${x.dtype}, but ${name} has ${other.dtype}. cast one: cast(${name}, { dtype: '${x.dtype}' })`,
      )
    }
  }
  const { shape, words } = geometry(x.shape, weight.shape, bias?.shape, options)
  let y = lay(x, transpose(weight, [0, 1, 3, 2]), shape, words)
  if (bias !== undefined) y = add(y, bias)
  return activation === undefined ? y : activate(activation, y)
}

/** The input gradient of the convolution that `words` describe, as an op. `weight` is `[kH, kW, O, C]`. */
function lay(x: Tensor, weight: Tensor, shape: readonly number[], words: Float64Array): Tensor {
  const y = empty(checkShape('convTranspose2d', shape), x.dtype)
  native.conv2dInputGradient(x.handle, weight.handle, y.handle, words)
  const saved: Tensor[] = []
  const keep = (tensor: Tensor, wanted: boolean): number => (wanted ? saved.push(tensor) - 1 : -1)
  const [atX, atWeight] = [keep(x, recording(weight)), keep(weight, recording(x))]
  const [xShape, weightShape] = [x.shape, weight.shape]
  return record('convTranspose2d', y, [x, weight], saved, (dy, saved, [wantsX, wantsWeight]) => {
    let dx: Tensor | undefined
    if (wantsX) {
      dx = empty(xShape, dy.dtype)
      native.conv2dForward(dy.handle, saved[atWeight]!.handle, 0, dx.handle, false, words)
    }
    let dWeight: Tensor | undefined
    if (wantsWeight) {
      dWeight = empty(weightShape, dy.dtype)
      native.conv2dWeightGradient(dy.handle, saved[atX]!.handle, dWeight.handle, words)
    }
    return [dx, dWeight]
  })
}

/** @internal What it runs by for float32 tensors of these shapes, as {@link conv2dAlgorithms} says it. */
export function convTranspose2dAlgorithms(
  op: string,
  x: readonly number[],
  weight: readonly number[],
  options: ConvTranspose2dOptions,
): Algorithms {
  const { shape, words } = geometry(checkShape(op, x), weight, undefined, options)
  checkShape(op, shape)
  const [forward, ofInput, ofWeight] = native.conv2dAlgorithms(words) as [string, string, string]
  return [ofInput, forward, ofWeight]
}

/** The output's shape, and the geometry of the convolution that leads back from it. */
function geometry(
  x: readonly number[],
  weight: readonly number[],
  bias: readonly number[] | undefined,
  options: ConvTranspose2dOptions,
): { shape: number[]; words: Float64Array } {
  const layouts = `input ${showShape(x)} (N, H, W, C), weight ${showShape(weight)} (kH, kW, C, O)`
  for (const [name, shape] of [
    ['input', x],
    ['weight', weight],
  ] as const) {
    if (shape.length !== 4) {
      throw new ShapeError(`convTranspose2d: the ${name} must have 4 axes, not ${shape.length}. ${layouts}.`)
    }
  }
  const [n, h, w, c] = x as [number, number, number, number]
  const [kh, kw, channels, o] = weight as [number, number, number, number]
  if (channels !== c) {
    throw new ShapeError(
      `convTranspose2d: the input has ${c} ${c === 1 ? 'channel' : 'channels'}, but the weight expects ${channels}. ${layouts}.`,
    )
  }
  if (kh === 0 || kw === 0 || h === 0 || w === 0 || c === 0 || o === 0) {
    throw new ShapeError(`convTranspose2d: height, width, channels and filters must not be 0. ${layouts}.`)
  }
  if (bias !== undefined && (bias.length !== 1 || bias[0] !== o)) {
    throw new ShapeError(
      `convTranspose2d: the bias must have one number for each filter, shape [${o}]. bias ${showShape(bias)}, ${layouts}.`,
    )
  }
  const stride = checkSize('convTranspose2d', 'stride', options.stride ?? 1)
  const padding = options.padding ?? 'valid'
  const cut = (axis: number): number =>
    Array.isArray(padding) && Array.isArray(padding[axis])
      ? Number(padding[axis][0]) + Number(padding[axis][1])
      : typeof padding === 'number'
        ? 2 * padding
        : 0
  const enlarged = (size: number, kernel: number, axis: number): number =>
    padding === 'same' ? size * stride[axis]! : (size - 1) * stride[axis]! + kernel - cut(axis)
  const [height, width] = [enlarged(h, kh, 0), enlarged(w, kw, 1)]
  if (height < 1 || width < 1) {
    throw new ShapeError(
      `convTranspose2d: padding cuts off the whole output, which would be ${height} × ${width}. ${layouts}.`,
    )
  }
  checkWhole('convTranspose2d', 'the height of the output', height, 1)
  checkWhole('convTranspose2d', 'the width of the output', width, 1)
  const [rows, cols] = windowAxes('convTranspose2d', layouts, [height, width], [kh, kw], { stride, padding })
  return {
    shape: [n, height, width, o],
    words: Float64Array.of(
      ...[n, height, width, o, kh, kw, c, 1],
      ...[rows.stride, cols.stride, 1, 1],
      ...[rows.before, rows.after, cols.before, cols.after, precisionCode('convTranspose2d', options.precision)],
    ),
  }
}
