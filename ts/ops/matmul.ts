// Matrix products, alone or in batches, with the bias and the activation of a dense layer.

import { record, recording } from '../autograd/record.js'
import { DTypeError, ShapeError, show, typeError } from '../errors.js'
import { native } from '../native/index.js'
import { checkFloat } from '../tensor/dtype.js'
import type { Packing } from '../tensor/packing.js'
import { checkShape, showShape } from '../tensor/shape.js'
import { checkTensor, empty, type Tensor } from '../tensor/tensor.js'
import { type Activation, activate, checkActivation } from './activate.js'
import { type Precision, precisionCode } from './precision.js'
import { rectified } from './rectified.js'

export interface MatmulOptions {
  /** Uses `a` as if its last two axes were swapped, without a copy. Default false. */
  transposeA?: boolean | undefined
  /** Uses `b` as if its last two axes were swapped, without a copy. Default false. */
  transposeB?: boolean | undefined
  /** `[n]`: added to every row of the product. */
  bias?: Tensor | undefined
  /** Applied last. Default none. */
  activation?: Activation | undefined
  /** How exact it must be in float32. Default what the model was compiled with, or 'highest'. */
  precision?: Precision | undefined
}

/** An axis before the matrices, and which tensors have it (others are the same all along it). */
interface Axis {
  readonly size: number
  readonly a: boolean
  readonly b: boolean
}

/** What a product is, apart from its numbers. */
interface Product {
  readonly m: number
  readonly n: number
  readonly k: number
  readonly transposeA: boolean
  readonly transposeB: boolean
  readonly axes: readonly Axis[]
  readonly shape: readonly number[]
  /** The code of the precision. */
  readonly precision: number
}

/** The part that a tensor takes in a product: left or right factor, or result. */
const LEFT = 1
const RIGHT = 2
const RESULT = 4

/**
 * The matrix product of `a` and `b`, C[i][j] = Σₚ A[i][p] · B[p][j], for every matrix of a batch:
 * `[…, m, k], […, k, n] -> […, m, n]`, float.
 *
 * The axes before the last two broadcast as in NumPy, without copies. A vector counts as a row on the left and as a
 * column on the right, and its axis is missing in the result: `[m, k], [k] -> [m]`, `[k], [k, n] -> [n]`,
 * `[k], [k] -> []`. With k = 0 the product is 0. A NaN or an infinity in a factor reaches every number that it is a
 * part of, and no other; denormal numbers are kept. In float32 a row of the result does not depend on the other rows
 * of `a`, unless `precision` allows it, and no bit of it on the number of threads.
 *
 * Throws a {@link ShapeError} when k differs, when the batches do not broadcast, when a factor has no axis, when a
 * vector is to be transposed or when the bias is not `[n]`, and a {@link DTypeError} when dtypes differ or are integers.
 *
 * Source: the loops around the register tile follow Goto and van de Geijn 2008, and Van Zee and van de Geijn 2015.
 *
 * @example
 * ```ts
 * import { matmul, tensor } from 'ferrograd'
 * const a = tensor([[1, 2], [3, 4]])
 * const b = tensor([[1, 0], [0, -1]])
 * console.log(await matmul(a, b).array()) // [ [ 1, -2 ], [ 3, -4 ] ]
 * const y = matmul(a, b, { transposeA: true, bias: tensor([0, 1]), activation: 'relu' })
 * console.log(await y.array()) // [ [ 1, 0 ], [ 2, 0 ] ]
 * ```
 */
export function matmul(a: Tensor, b: Tensor, options: MatmulOptions = {}): Tensor {
  checkTensor('matmul', 'a', a)
  checkTensor('matmul', 'b', b)
  const { bias, activation, precision } = checkOptions(options)
  checkFloat('matmul', 'a', a.dtype)
  checkSameDType(a, 'b', b)
  const product = productOf(a, b, options.transposeA === true, options.transposeB === true, precision)
  if (bias !== undefined) checkBias(a, b, bias, product)

  const y = empty(checkShape('matmul', product.shape), a.dtype)
  const fused = activation === 'relu'
  const parts = [LEFT, RIGHT, RESULT] as const
  run(
    product,
    [product.m, product.n, product.k],
    [product.transposeA, product.transposeB],
    parts,
    [a, b, y],
    bias,
    fused,
  )

  const saved: Tensor[] = []
  const keep = (tensor: Tensor, wanted: boolean): number => (wanted ? saved.push(tensor) - 1 : -1)
  const [atA, atB, atY] = [keep(a, recording(b)), keep(b, recording(a)), keep(y, fused)]
  const [shapeA, shapeB, shapeBias] = [a.shape, b.shape, bias?.shape]
  record(fused ? 'matmul + relu' : 'matmul', y, [a, b, bias], saved, (dy, saved, [wantsA, wantsB, wantsBias]) => {
    const dProduct = fused ? rectified(dy, saved[atY]!) : dy
    return [
      wantsA ? leftGradient(product, dProduct, saved[atB]!, shapeA) : undefined,
      wantsB ? rightGradient(product, dProduct, saved[atA]!, shapeB) : undefined,
      wantsBias ? biasGradient(dProduct, shapeBias!) : undefined,
    ]
  })
  if (activation === undefined || fused) return y
  const activated = activate(activation, y)
  y.dispose()
  return activated
}

/** Queues z = op(x) op(y) of `sizes` [m, n, k], where `parts` says which tensor of `product` each of x, y and z is. */
function run(
  product: Product,
  sizes: readonly [number, number, number],
  transposed: readonly [boolean, boolean],
  parts: readonly [number, number, number],
  [x, y, z]: readonly [Tensor, Tensor, Tensor],
  bias?: Tensor,
  relu = false,
): void {
  const words = new Float64Array(6 + 2 * product.axes.length)
  words[words.length - 1] = product.precision
  words.set(sizes)
  words[3] = Number(transposed[0])
  words[4] = Number(transposed[1])
  product.axes.forEach(({ size, a, b }, i) => {
    const has = (part: number): boolean => part === RESULT || (part === LEFT ? a : b)
    words[5 + 2 * i] = size
    words[6 + 2 * i] = Number(has(parts[0])) + 2 * Number(has(parts[1])) + 4 * Number(has(parts[2]))
  })
  const packed =
    parts[2] === RESULT && z.dtype === 'float32' && !recording(y) ? y.life.storage!.packedFor(packing, words) : 0
  if (packed === 0) native.matmulForward(x.handle, y.handle, bias?.handle ?? 0, z.handle, relu, words)
  else native.matmulForwardPacked(x.handle, packed, bias?.handle ?? 0, z.handle, relu, words)
}

/** How weights that are not being trained are kept. The number of rows, which words begin with, matters only if they are few. */
const packing: Packing = {
  same: (words, before) =>
    words.length === before.length &&
    words.every((word, i) => i === 0 || word === before[i]) &&
    (words[0] === before[0] || native.matmulPackedSize(words) === native.matmulPackedSize(before)),
  size: native.matmulPackedSize,
  pack: native.matmulPack,
}

/** dA = dC · op(B)ᵀ, summed over the axes that A lacks; the transpose of that if A was transposed. */
function leftGradient(product: Product, dy: Tensor, b: Tensor, shape: readonly number[]): Tensor {
  const { m, n, k, transposeA, transposeB } = product
  const da = empty(shape, dy.dtype)
  if (transposeA) run(product, [k, m, n], [transposeB, true], [RIGHT, RESULT, LEFT], [b, dy, da])
  else run(product, [m, k, n], [false, !transposeB], [RESULT, RIGHT, LEFT], [dy, b, da])
  return da
}

/** dB = op(A)ᵀ · dC, summed over the axes that B lacks; the transpose of that if B was transposed. */
function rightGradient(product: Product, dy: Tensor, a: Tensor, shape: readonly number[]): Tensor {
  const { m, n, k, transposeA, transposeB } = product
  const db = empty(shape, dy.dtype)
  if (transposeB) run(product, [n, k, m], [true, transposeA], [RESULT, LEFT, RIGHT], [dy, a, db])
  else run(product, [k, n, m], [!transposeA, false], [LEFT, RESULT, RIGHT], [a, dy, db])
  return db
}

function biasGradient(dy: Tensor, shape: readonly number[]): Tensor {
  const dBias = empty(shape, dy.dtype)
  native.matmulBiasGradient(dy.handle, dBias.handle)
  return dBias
}

function productOf(a: Tensor, b: Tensor, transposeA: boolean, transposeB: boolean, precision: number): Product {
  const [left, right] = [a.shape, b.shape]
  for (const [name, { shape }] of [
    ['a', a],
    ['b', b],
  ] as const) {
    if (shape.length === 0) {
      throw new ShapeError(`matmul: ${name} is a scalar, but a matrix product needs axes. ${layouts(a, b)}. use mul`)
    }
  }
  for (const [name, option, { shape }, transposed] of [
    ['a', 'transposeA', a, transposeA],
    ['b', 'transposeB', b, transposeB],
  ] as const) {
    if (transposed && shape.length === 1) {
      throw new ShapeError(`matmul: ${name} is a vector, which ${option} cannot transpose. ${layouts(a, b)}`)
    }
  }
  // A vector is a row on the left and a column on the right.
  const rows = left.length === 1 ? [1, left[0]!] : left.slice(-2)
  const cols = right.length === 1 ? [right[0]!, 1] : right.slice(-2)
  const [m, k] = (transposeA ? [rows[1], rows[0]] : rows) as [number, number]
  const [depth, n] = (transposeB ? [cols[1], cols[0]] : cols) as [number, number]
  if (k !== depth) {
    const found = `the rows of a have ${k} numbers, but the columns of b have ${depth}`
    const ways = [m === depth && 'transposeA', k === n && 'transposeB'].filter((way) => way !== false)
    const wayOut = ways.length === 0 ? '' : `. ${wayToFit(ways, transposeA, transposeB)}`
    throw new ShapeError(`matmul: ${found}. ${layouts(a, b, transposeA, transposeB)}${wayOut}`)
  }
  const axes = broadcastAxes(a, b)
  const shape = axes.map(({ size }) => size)
  if (left.length > 1) shape.push(m)
  if (right.length > 1) shape.push(n)
  return { m, n, k, transposeA, transposeB, axes, shape, precision }
}

/** Which transposes to add or to leave out. */
function wayToFit(ways: readonly string[], transposeA: boolean, transposeB: boolean): string {
  const used: Record<string, boolean> = { transposeA, transposeB }
  const [add, drop] = [ways.filter((way) => !used[way]), ways.filter((way) => used[way])]
  return add.length > 0 ? `${add.join(' or ')} would make them fit` : `without ${drop.join(' or ')} they fit`
}

function broadcastAxes(a: Tensor, b: Tensor): Axis[] {
  const [left, right] = [a.shape.slice(0, -2), b.shape.slice(0, -2)]
  const rank = Math.max(left.length, right.length)
  return Array.from({ length: rank }, (_, axis) => {
    const [inA, inB] = [left[axis - rank + left.length] ?? 1, right[axis - rank + right.length] ?? 1]
    if (inA !== inB && inA !== 1 && inB !== 1) {
      throw new ShapeError(
        `matmul: the axes before the matrices do not broadcast: ${inA} and ${inB}. ${layouts(a, b)}. they must be equal, or one of them 1`,
      )
    }
    const size = inA === 1 ? inB : inA
    return { size, a: inA === size, b: inB === size }
  })
}

function checkOptions(options: MatmulOptions): {
  bias: Tensor | undefined
  activation: Activation | undefined
  precision: number
} {
  if (typeof options !== 'object' || options === null) {
    throw typeError(`matmul: options must be an object. got ${show(options)}`)
  }
  const { transposeA = false, transposeB = false, bias, activation } = options
  for (const [name, value] of Object.entries({ transposeA, transposeB })) {
    if (typeof value !== 'boolean') throw typeError(`matmul: ${name} must be a boolean. got ${show(value)}`)
  }
  if (bias !== undefined) checkTensor('matmul', 'bias', bias)
  if (activation !== undefined) checkActivation('matmul', activation)
  return { bias, activation, precision: precisionCode('matmul', options.precision) }
}

function checkSameDType(a: Tensor, name: string, other: Tensor): void {
  if (other.dtype !== a.dtype) {
    throw new DTypeError(
      `matmul: a has dtype ${a.dtype}, but ${name} has ${other.dtype}. cast one: cast(${name}, { dtype: '${a.dtype}' })`,
    )
  }
}

function checkBias(a: Tensor, b: Tensor, bias: Tensor, { n }: Product): void {
  checkSameDType(a, 'bias', bias)
  if (b.shape.length === 1) {
    throw new ShapeError(
      `matmul: a bias needs columns, but b is a vector. ${layouts(a, b)}, bias ${showShape(bias.shape)}`,
    )
  }
  if (bias.shape.length !== 1 || bias.shape[0] !== n) {
    throw new ShapeError(
      `matmul: bias must have one number for each of ${n} columns, shape [${n}]. bias ${showShape(bias.shape)}, b ${showShape(b.shape)}`,
    )
  }
}

function layouts(a: Tensor, b: Tensor, transposeA = false, transposeB = false): string {
  const layout = (shape: readonly number[], transposed: boolean): string =>
    showShape(shape) + (transposed ? ' transposed' : '')
  return `a ${layout(a.shape, transposeA)}, b ${layout(b.shape, transposeB)}`
}
