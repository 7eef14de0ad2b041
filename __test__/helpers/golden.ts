// Reads the golden numbers of fixtures/ and calls ops as they say.

import { readFileSync } from 'node:fs'
import type { ExecutionContext } from 'ava'
import * as ferrograd from 'ferrograd'
import { type DType, gradients, mul, sum, type Tensor, type TypedArray, tensor } from 'ferrograd'

/** A tensor of a fixture: values as base64, little-endian, row-major; see fixtures/make_goldens.py. */
interface Encoded {
  shape: number[]
  f32?: string
  f64?: string
  i32?: string
  /** What the gradient of this input must be, float64. */
  gradient?: string
}

export interface GoldenCase {
  name: string
  op: string
  inputs: unknown[]
  options: Record<string, unknown>
  output: Encoded
  /** Absent where no input has a gradient. */
  dy?: Encoded
}

export interface GoldenFile {
  family: string
  cases: GoldenCase[]
}

/** The parsed JSON of `fixtures/<name>.json`. */
export function readFixture<T>(name: string): T {
  const url = new URL(`../../__test__/fixtures/${name}.json`, import.meta.url)
  return JSON.parse(readFileSync(url, 'utf8')) as T
}

/**
 * The largest difference allowed, as a share of the golden array's root mean square. Float32 ops differ from float64
 * by about 1e-7 a rounding, and some add up hundreds of products or cancel; 1e-4 still tells any wrong term.
 */
export const tolerance = { float32: 1e-4, float64: 1e-9 } as const

/**
 * Arrays whose root mean square is below this are measured against it instead: a gradient that is zero by
 * cancellation has only rounding errors to show, of about 1e-7 (float32) or 1e-16 (float64) times inputs near 1.
 */
export const floor = 1e-2

type Precision = keyof typeof tolerance

const bytes = (text: string): ArrayBuffer => {
  const buffer = Buffer.from(text, 'base64')
  return buffer.buffer.slice(buffer.byteOffset, buffer.byteOffset + buffer.byteLength) as ArrayBuffer
}

/** base64 of little-endian float64. */
export const float64From = (text: string): Float64Array => new Float64Array(bytes(text))
/** base64 of little-endian float32. */
export const float32From = (text: string): Float32Array => new Float32Array(bytes(text))

function isEncoded(value: unknown): value is Encoded {
  return (
    typeof value === 'object' &&
    value !== null &&
    'shape' in value &&
    ('f32' in value || 'f64' in value || 'i32' in value)
  )
}

function valuesOf(encoded: Encoded): Float32Array | Float64Array | Int32Array {
  if (encoded.i32 !== undefined) return new Int32Array(bytes(encoded.i32))
  if (encoded.f32 !== undefined) return float32From(encoded.f32)
  return float64From(encoded.f64!)
}

function makeTensor(encoded: Encoded, precision: Precision): Tensor {
  const dtype: DType = encoded.i32 === undefined ? precision : 'int32'
  return tensor(valuesOf(encoded), { shape: encoded.shape, dtype })
}

interface Wanted {
  /** Where in the call the tensor stands, for messages. */
  place: string
  tensor: Tensor
  gradient: Float64Array
}

/** The value with tensors in place of their encodings; equal encodings of one case become one tensor. */
function decode(
  value: unknown,
  place: string,
  precision: Precision,
  wanted: Wanted[],
  made: Map<string, Tensor>,
): unknown {
  if (Array.isArray(value)) return value.map((item, i) => decode(item, `${place}[${i}]`, precision, wanted, made))
  if (typeof value !== 'object' || value === null) return value
  if (!isEncoded(value)) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, decode(item, `${place}.${key}`, precision, wanted, made)]),
    )
  }
  const text = JSON.stringify(value)
  const known = made.get(text)
  if (known !== undefined) return known
  const fresh = makeTensor(value, precision)
  made.set(text, fresh)
  if (value.gradient !== undefined) wanted.push({ place, tensor: fresh, gradient: float64From(value.gradient) })
  return fresh
}

/** Called as the case says: inputs by position, then the options if there are any. */
export type Op = (...args: unknown[]) => Tensor

function findOp(name: string): Op {
  const library = ferrograd as unknown as Record<string, unknown>
  const losses = (library.losses ?? {}) as Record<string, unknown>
  const found = library[name] ?? losses[name]
  if (typeof found !== 'function') throw new Error(`ferrograd has no op "${name}"`)
  return found as Op
}

/** Runs one case in one precision and compares output and gradients. */
export async function checkCase(
  t: ExecutionContext,
  golden: GoldenCase,
  precision: Precision,
  op: Op = findOp(golden.op),
): Promise<void> {
  const wanted: Wanted[] = []
  const made = new Map<string, Tensor>()
  const inputs = decode(golden.inputs, 'inputs', precision, wanted, made) as unknown[]
  const options = decode(golden.options, 'options', precision, wanted, made) as Record<string, unknown>
  const call = (): Tensor => (Object.keys(options).length === 0 ? op(...inputs) : op(...inputs, options))

  const y = call()
  t.deepEqual([...y.shape], golden.output.shape, `${precision}: shape of the output`)
  await checkClose(t, `${precision}: output`, y, valuesOf(golden.output), precision)
  if (golden.dy === undefined) return
  const dy = makeTensor(golden.dy, precision)
  const found = gradients(
    () => sum(mul(call(), dy)),
    wanted.map((item) => item.tensor),
  )
  for (const [i, { place, tensor: input, gradient }] of wanted.entries()) {
    t.deepEqual([...found[i]!.shape], [...input.shape], `${precision}: shape of the gradient of ${place}`)
    await checkClose(t, `${precision}: gradient of ${place}`, found[i]!, gradient, precision)
  }
}

async function checkClose(
  t: ExecutionContext,
  what: string,
  actual: Tensor,
  expected: TypedArray,
  precision: Precision,
): Promise<void> {
  const values = await actual.data()
  if (expected instanceof Int32Array) {
    t.deepEqual(Array.from(values), Array.from(expected), what)
    return
  }
  const worst = worstDifference(values, expected)
  t.true(worst <= tolerance[precision], `${what} is off by ${worst.toExponential(2)} of its root mean square`)
}

/** The largest difference as a share of the expected values' root mean square; NaN if anything is. */
export function worstDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.NaN
  let square = 0
  let worst = 0
  for (let i = 0; i < expected.length; i++) {
    square += expected[i]! ** 2
    // Math.max keeps a NaN.
    worst = Math.max(worst, Math.abs(actual[i]! - expected[i]!))
  }
  return expected.length === 0 ? 0 : worst / Math.max(Math.sqrt(square / expected.length), floor)
}
