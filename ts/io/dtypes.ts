// The dtypes of safetensors, and how each becomes one of ours.

import type { DType, TypedArray } from '../tensor/dtype.js'

/** How a dtype of a file is read. */
export interface FileDType {
  /** Bytes of one element in the file. */
  readonly bytes: number
  /** What it becomes. */
  readonly dtype: DType
  /**
   * The elements in `length` bytes from `offset`, a multiple of their size. Undefined for what does not fit, with its
   * place in `bad`.
   */
  readonly convert: (buffer: ArrayBuffer, offset: number, length: number, bad: { at: number }) => TypedArray | undefined
  /** The element that `view` holds, where some do not fit. */
  readonly element?: (view: DataView) => number | bigint
}

type Convert = FileDType['convert']
const plain = (
  dtype: DType,
  view: { new (buffer: ArrayBuffer, offset: number, length: number): TypedArray; BYTES_PER_ELEMENT: number },
): FileDType => ({
  bytes: view.BYTES_PER_ELEMENT,
  dtype,
  convert: (buffer, offset, length) => new view(buffer, offset, length / view.BYTES_PER_ELEMENT),
})

/** Small integers, all of which int32 holds. */
const widened = (view: Int8ArrayConstructor | Int16ArrayConstructor | Uint16ArrayConstructor): FileDType => ({
  bytes: view.BYTES_PER_ELEMENT,
  dtype: 'int32',
  convert: (buffer, offset, length) => Int32Array.from(new view(buffer, offset, length / view.BYTES_PER_ELEMENT)),
})

/** Large integers, of which int32 holds some. `high` is what the upper half of a number that fits looks like. */
const narrowed = (
  bytes: 4 | 8,
  element: (view: DataView) => number | bigint,
  fits: (low: number, high: number) => boolean,
): FileDType => ({
  bytes,
  dtype: 'int32',
  element,
  convert: (buffer, offset, length, bad) => {
    const words = new Int32Array(buffer, offset, length / 4)
    const step = bytes / 4
    const values = new Int32Array(words.length / step)
    for (let i = 0; i < values.length; i++) {
      const low = words[i * step]!
      if (!fits(low, step === 2 ? words[i * step + 1]! : 0)) {
        bad.at = i
        return undefined
      }
      values[i] = low
    }
    return values
  },
})

/** Floats of few bits, looked up. */
const looked = (bytes: 1 | 2, value: (bits: number) => number): FileDType => {
  let table: Float32Array | undefined
  const convert: Convert = (buffer, offset, length) => {
    table ??= Float32Array.from({ length: 2 ** (8 * bytes) }, (_, bits) => value(bits))
    const codes = bytes === 1 ? new Uint8Array(buffer, offset, length) : new Uint16Array(buffer, offset, length / 2)
    const values = new Float32Array(codes.length)
    for (let i = 0; i < values.length; i++) values[i] = table[codes[i]!]!
    return values
  }
  return { bytes, dtype: 'float32', convert }
}

const bfloat16: FileDType = {
  bytes: 2,
  dtype: 'float32',
  convert: (buffer, offset, length) => {
    const halves = new Uint16Array(buffer, offset, length / 2)
    const bits = new Uint32Array(halves.length)
    // The upper half of a float32.
    for (let i = 0; i < bits.length; i++) bits[i] = halves[i]! << 16
    return new Float32Array(bits.buffer)
  },
}

const boolean: FileDType = {
  bytes: 1,
  dtype: 'uint8',
  element: (view) => view.getUint8(0),
  convert: (buffer, offset, length, bad) => {
    const values = new Uint8Array(buffer, offset, length)
    bad.at = values.findIndex((value) => value > 1)
    return bad.at < 0 ? values : undefined
  },
}

/** The value of a float with a sign, `exponent` bits and `mantissa` bits, with infinities as IEEE 754 has them. */
function small(bits: number, exponent: number, mantissa: number, infinities: boolean): number {
  const sign = bits >> (exponent + mantissa) === 0 ? 1 : -1
  const power = (bits >> mantissa) & (2 ** exponent - 1)
  const part = bits & (2 ** mantissa - 1)
  const bias = 2 ** (exponent - 1) - 1
  if (power === 2 ** exponent - 1) {
    if (infinities) return part === 0 ? sign * Infinity : Number.NaN
    // Without infinities only the last code is not a number (Micikevicius et al. 2022).
    if (part === 2 ** mantissa - 1) return Number.NaN
  }
  const fraction = part / 2 ** mantissa
  return sign * (power === 0 ? fraction * 2 ** (1 - bias) : (1 + fraction) * 2 ** (power - bias))
}

/** @internal By the name that headers use. */
export const fileDTypes: ReadonlyMap<string, FileDType> = new Map<string, FileDType>([
  ['F64', plain('float64', Float64Array)],
  ['F32', plain('float32', Float32Array)],
  ['I32', plain('int32', Int32Array)],
  ['U8', plain('uint8', Uint8Array)],
  ['F16', looked(2, (bits) => small(bits, 5, 10, true))],
  ['BF16', bfloat16],
  ['F8_E5M2', looked(1, (bits) => small(bits, 5, 2, true))],
  ['F8_E4M3', looked(1, (bits) => small(bits, 4, 3, false))],
  ['BOOL', boolean],
  ['I8', widened(Int8Array)],
  ['I16', widened(Int16Array)],
  ['U16', widened(Uint16Array)],
  [
    'U32',
    narrowed(
      4,
      (view) => view.getUint32(0, true),
      (low) => low >= 0,
    ),
  ],
  [
    'I64',
    narrowed(
      8,
      (view) => view.getBigInt64(0, true),
      (low, high) => high === low >> 31,
    ),
  ],
  [
    'U64',
    narrowed(
      8,
      (view) => view.getBigUint64(0, true),
      (low, high) => high === 0 && low >= 0,
    ),
  ],
])

/** @internal What files may hold, but no tensor here. */
export const foreignDTypes: ReadonlySet<string> = new Set([
  ...['F4', 'F6_E2M3', 'F6_E3M2', 'F8_E8M0', 'F8_E4M3FNUZ', 'F8_E5M2FNUZ', 'C64'],
])

/** @internal The name of a dtype of ours in headers. */
export const nameInFile: Readonly<Record<DType, string>> = { float64: 'F64', float32: 'F32', int32: 'I32', uint8: 'U8' }
