// Convolution.

import { record, recording } from '../autograd/record.js'
import { DTypeError, ShapeError, show, typeError } from '../errors.js'
import { native } from '../native/index.js'
import { checkFloat } from '../tensor/dtype.js'
import type { GradientRule } from '../tensor/graph.js'
import type { Packing } from '../tensor/packing.js'
import { checkShape, showShape } from '../tensor/shape.js'
import { checkTensor, empty, type Tensor } from '../tensor/tensor.js'
import { type Activation, activate, checkActivation } from './activate.js'
import { type Precision, precisionCode } from './precision.js'
import { rectified } from './rectified.js'
import { checkWhole, type WindowOptions, windowAxes } from './window.js'

export interface Conv2dOptions extends WindowOptions {
  /** `[O]`: added to every position. */
  bias?: Tensor | undefined
  /**
   * Cuts channels and filters into this many groups that have nothing to do with each other: group g convolves channels
   * g · C/groups … into filters g · O/groups …. With as many groups as channels the convolution is depthwise. Default 1.
   */
  groups?: number | undefined
  /** Applied last. Default none. */
  activation?: Activation | undefined
  /** How exact it must be in float32. Default what the model was compiled with, or 'highest'. */
  precision?: Precision | undefined
}

/**
 * The convolution of images with filters (a cross-correlation, as everywhere in deep learning):
 * `[N, H, W, C], [kH, kW, C / groups, O] -> [N, H', W', O]`, float, with H' = ⌊(H + top + bottom − ((kH − 1) · dilation + 1)) /
 * stride⌋ + 1.
 *
 * y[n, i, j, o] = bias[o] + Σ x[n, i · stride + a · dilation − top, j · stride + b · dilation − left, c] · weight[a, b, c, o]
 *
 * `stride` defaults to 1. Only float32 is fast; float64 runs on the reference kernel. In float32, windows of 3 × 3 and 5 × 5
 * that move by one pixel over 16 or more channels to as many filters run by the Winograd algorithm, whose rounding errors
 * are up to three times those of the direct sum (five times in a gradient of weights over fewer than 1,024 positions); a NaN
 * or an infinity then reaches all outputs of the tiles, 4 × 4 or 2 × 2, that see it.
 * `FERROGRAD_CONV=direct` in the environment turns that off; what runs, `model.summary(console.log, { explain: true })` shows.
 *
 * Throws a {@link ShapeError} when sizes do not fit (a window larger than the padded input, channels that differ, a bias
 * that is not `[O]`), a `RangeError` or `TypeError` for options out of range and a {@link DTypeError} when dtypes differ or are integers.
 *
 * Source: LeCun et al. 1989; dilation: Yu and Koltun 2016; groups: Krizhevsky et al. 2012; the fast
 * algorithm: Winograd 1980, Lavin and Gray 2016.
 *
 * @example
 * ```ts
 * import { conv2d, tensor } from 'ferrograd'
 * const image = tensor([[[[1], [2], [3]], [[4], [5], [6]], [[7], [8], [9]]]])
 * const filter = tensor([1, 0, 0, 1], { shape: [2, 2, 1, 1] })
 * console.log(await conv2d(image, filter).data()) // Float32Array(4) [ 6, 8, 12, 14 ]
 * console.log(conv2d(image, filter, { padding: 'same', stride: 2 }).shape) // [ 1, 2, 2, 1 ]
 * ```
 */
export function conv2d(x: Tensor, weight: Tensor, options: Conv2dOptions = {}): Tensor {
  const convolution = checkConvolution(x, weight, options)
  const { bias, relu, shape, words } = convolution
  const y = empty(shape, x.dtype)
  const packed = packedWeight(convolution)
  if (packed === 0) native.conv2dForward(x.handle, weight.handle, bias?.handle ?? 0, y.handle, relu, words)
  else native.conv2dForwardPacked(x.handle, packed, bias?.handle ?? 0, y.handle, relu, words)

  const { saved, gradients } = convolutionGradients(convolution)
  const { length } = saved
  record(relu ? 'conv2d + relu' : 'conv2d', y, [x, weight, bias], relu ? [...saved, y] : saved, (dy, saved, wanted) =>
    gradients(relu ? rectified(dy, saved[length]!) : dy, saved, wanted),
  )
  if (relu && y.life.node !== undefined) y.life.node.rectifies = true
  const { activation } = options
  if (activation === undefined || relu) return y
  const activated = activate(activation, y)
  y.dispose()
  return activated
}

/** @internal What a convolution computes from, checked. */
export interface Convolution {
  readonly x: Tensor
  readonly weight: Tensor
  readonly bias: Tensor | undefined
  /** Whether the kernel rectifies. */
  readonly relu: boolean
  /** Of the output. */
  readonly shape: readonly number[]
  /** What the native side takes. */
  readonly words: Float64Array
}

/** @internal Checks the arguments of {@link conv2d}. */
export function checkConvolution(x: Tensor, weight: Tensor, options: Conv2dOptions): Convolution {
  checkTensor('conv2d', 'x', x)
  checkTensor('conv2d', 'weight', weight)
  if (typeof options !== 'object' || options === null) {
    throw typeError(`conv2d: options must be an object. got ${show(options)}`)
  }
  const { bias, groups = 1, activation } = options
  if (bias !== undefined) checkTensor('conv2d', 'bias', bias)
  if (activation !== undefined) checkActivation('conv2d', activation)
  checkDTypes(x, weight, bias)
  const { shape, words } = geometry(x.shape, weight.shape, bias?.shape, groups, options)
  return { x, weight, bias, relu: activation === 'relu', shape: checkShape('conv2d', shape), words }
}

/** @internal The handle of the packed weight where one is kept, or 0. */
export function packedWeight({ x, weight, words }: Convolution): number {
  return x.dtype === 'float32' && !recording(weight) ? weight.life.storage!.packedFor(packing, words) : 0
}

/** @internal What must be saved for the gradients of x, weight and bias, and how they come from that of the sums. */
export function convolutionGradients({ x, weight, bias, words }: Convolution): {
  saved: readonly Tensor[]
  gradients: GradientRule
} {
  const saved: Tensor[] = []
  const keep = (tensor: Tensor, wanted: boolean): number => (wanted ? saved.push(tensor) - 1 : -1)
  const [atX, atWeight] = [keep(x, recording(weight)), keep(weight, recording(x))]
  const [xShape, weightShape, biasShape] = [x.shape, weight.shape, bias?.shape]
  const gradients: GradientRule = (dSum, saved, [wantsX, wantsWeight, wantsBias]) => {
    let dx: Tensor | undefined
    if (wantsX) {
      dx = empty(xShape, dSum.dtype)
      native.conv2dInputGradient(dSum.handle, saved[atWeight]!.handle, dx.handle, words)
    }
    let dWeight: Tensor | undefined
    if (wantsWeight) {
      dWeight = empty(weightShape, dSum.dtype)
      native.conv2dWeightGradient(saved[atX]!.handle, dSum.handle, dWeight.handle, words)
    }
    let dBias: Tensor | undefined
    if (wantsBias) {
      dBias = empty(biasShape!, dSum.dtype)
      native.matmulBiasGradient(dSum.handle, dBias.handle)
    }
    return [dx, dWeight, dBias]
  }
  return { saved, gradients }
}

/** How weights that are not being trained are kept: the size of the batch matters only as far as it decides the algorithm. */
const packing: Packing = {
  same: (words, before) =>
    words.every((word, i) => i === 0 || word === before[i]) &&
    (words[0] === before[0] || native.conv2dPackedSize(words) === native.conv2dPackedSize(before)),
  size: native.conv2dPackedSize,
  pack: native.conv2dPack,
}

/** @internal What computes the forward pass, the gradient of the input and the gradient of the weight. */
export type Algorithms = readonly [string, string, string]

/**
 * @internal What a convolution of float32 tensors of these shapes runs by: 'winograd4', 'winograd2', 'direct', 'depthwise',
 * 'thin' (few filters or channels), 'product' (of two matrices), or in pieces of bfloat16 'bf16x6', 'bf16x3' or 'bf16'. With a stride, parts of the gradient of the input may
 * run by several, which are joined by ' + '.
 */
export function conv2dAlgorithms(
  op: string,
  x: readonly number[],
  weight: readonly number[],
  groups: number,
  options: WindowOptions,
): Algorithms {
  const { words } = convolutionGeometry(op, x, weight, groups, options)
  return native.conv2dAlgorithms(words) as [string, string, string]
}

/** @internal The geometry of a convolution of tensors of these shapes. */
export function convolutionGeometry(
  op: string,
  x: readonly number[],
  weight: readonly number[],
  groups: number,
  options: WindowOptions,
): { shape: readonly number[]; words: Float64Array } {
  const { shape, words } = geometry(checkShape(op, x), weight, undefined, groups, options)
  return { shape: checkShape(op, shape), words }
}

/** The output's shape, and the sizes as kernels take them. */
function geometry(
  x: readonly number[],
  weight: readonly number[],
  bias: readonly number[] | undefined,
  groups: number,
  options: Conv2dOptions,
): { shape: number[]; words: Float64Array } {
  const images = `input ${showShape(x)} (N, H, W, C)`
  const layouts = `${images}, weight ${showShape(weight)} (kH, kW, C, O)`
  if (x.length !== 4) {
    throw new ShapeError(`conv2d: the input must have 4 axes, not ${x.length}. ${layouts}.`)
  }
  if (weight.length !== 4) {
    throw new ShapeError(`conv2d: the weight must have 4 axes, not ${weight.length}. ${layouts}.`)
  }
  const [n, h, w, c] = x as [number, number, number, number]
  const [kh, kw, groupChannels, o] = weight as [number, number, number, number]
  checkWhole('conv2d', 'groups', groups, 1)
  if (kh === 0 || kw === 0) throw new ShapeError(`conv2d: the filters have no taps. ${layouts}.`)
  if (c === 0) throw new ShapeError(`conv2d: the input has no channels. ${layouts}.`)
  if (c % groups !== 0) {
    throw new ShapeError(
      `conv2d: ${groups} groups do not divide the ${c} ${plural(c, 'channel')} of the input. ${layouts}.`,
    )
  }
  if (o % groups !== 0) {
    throw new ShapeError(`conv2d: ${groups} groups do not divide the ${o} ${plural(o, 'filter')}. ${layouts}.`)
  }
  if (groupChannels * groups !== c) {
    const each = groups === 1 ? '' : ` in each of ${groups} groups, ${groupChannels * groups} together`
    throw new ShapeError(
      `conv2d: the input has ${c} ${plural(c, 'channel')}, but the weight expects ${groupChannels}${each}. ${layouts}.`,
    )
  }
  if (bias !== undefined && (bias.length !== 1 || bias[0] !== o)) {
    throw new ShapeError(
      `conv2d: the bias must have one number for each of ${o} ${plural(o, 'filter')}, shape [${o}]. bias ${showShape(bias)}, ${layouts}.`,
    )
  }
  const [height, width] = windowAxes('conv2d', layouts, [h, w], [kh, kw], options)
  return {
    shape: [n, height.output, width.output, o],
    words: Float64Array.of(
      ...[n, h, w, c, kh, kw, o, groups],
      ...[height.stride, width.stride, height.dilation, width.dilation],
      ...[height.before, height.after, width.before, width.after, precisionCode('conv2d', options.precision)],
    ),
  }
}

function plural(count: number, noun: string): string {
  return count === 1 ? noun : `${noun}s`
}

function checkDTypes(x: Tensor, weight: Tensor, bias: Tensor | undefined): void {
  checkFloat('conv2d', 'x', x.dtype)
  for (const [name, other] of [
    ['weight', weight],
    ['bias', bias],
  ] as const) {
    if (other !== undefined && other.dtype !== x.dtype) {
      throw new DTypeError(
        `conv2d: x has dtype ${x.dtype}, but ${name} has ${other.dtype}. cast one: cast(${name}, { dtype: '${x.dtype}' })`,
      )
    }
  }
}
