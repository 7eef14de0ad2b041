// The weights of a tf.js model: what the manifest says, checked against the files, and the numbers themselves.

import { FormatError, rangeError, show } from '../errors.js'
import { fileDTypes } from '../io/dtypes.js'
import { checkList, checkObject, checkText, checkWhole } from '../models/model-file.js'
import { native } from '../native/index.js'
import { tensor } from '../tensor/create.js'
import type { DType, TypedArray } from '../tensor/dtype.js'
import { sizeOf } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { Shards } from './tfjs-shards.js'

/** A tensor has at most this many elements. */
const MOST_ELEMENTS = 2 ** 40

/** The dtypes of a manifest: what they are read as. */
const dtypes: Readonly<Record<string, DType>> = { float32: 'float32', int32: 'int32', uint8: 'uint8', bool: 'uint8' }
/** The dtypes in which numbers can be stored, by their names in safetensors. */
const stored: Readonly<Record<string, string>> = {
  ...{ float32: 'F32', int32: 'I32', uint8: 'U8', bool: 'BOOL' },
  ...{ float16: 'F16', uint16: 'U16' },
}

/** One weight of the manifest. */
export interface TfjsWeight {
  readonly name: string
  readonly shape: readonly number[]
  readonly dtype: DType
  /** How it is stored, as safetensors calls it. */
  readonly stored: string
  /** What codes stand for: code · scale + min. */
  readonly codes: { readonly scale: number; readonly min: number } | undefined
  readonly shards: Shards
  /** Where it lies in the bytes of its shards. */
  readonly begin: number
  readonly end: number
}

/** Checks the manifest and the sizes of the files. Reads no weights. */
export async function checkManifest(op: string, folder: string, manifest: unknown): Promise<TfjsWeight[]> {
  const weights: TfjsWeight[] = []
  const names = new Set<string>()
  for (const item of checkList(op, 'weightsManifest', manifest)) {
    const group = checkObject(op, 'a group of weights', item)
    const shards = await Shards.find(op, folder, checkList(op, 'the paths of a group of weights', group.paths))
    let begin = 0
    for (const entry of checkList(op, 'the weights of a group', group.weights)) {
      const spec = checkSpec(op, entry)
      if (names.has(spec.name)) throw new FormatError(`${op}: the weight ${show(spec.name)} is listed twice`)
      names.add(spec.name)
      const end = begin + sizeOf(spec.shape) * fileDTypes.get(spec.stored)!.bytes
      // What an optimizer remembers is of no use here.
      if (!spec.ofOptimizer) weights.push({ ...spec, shards, begin, end })
      begin = end
    }
    if (begin !== shards.size) {
      throw new FormatError(
        `${op}: the shards ${show(group.paths)} have ${shards.size} bytes, and the weights of their group take ${begin}`,
      )
    }
  }
  return weights
}

function checkSpec(op: string, entry: unknown) {
  const spec = checkObject(op, 'a weight of the manifest', entry)
  const name = checkText(op, 'the name of a weight', spec.name)
  const label = `weight ${show(name)}`
  const shape = checkList(op, `the shape of ${label}`, spec.shape).map((size) =>
    checkWhole(op, `a size in the shape of ${label}`, size),
  )
  let elements = 1
  for (const size of shape) elements = Math.min(elements * Math.max(size, 1), MOST_ELEMENTS + 1)
  if (elements > MOST_ELEMENTS) {
    throw new FormatError(
      `${op}: ${label} is too large: a tensor holds at most 2^40 elements. shape [${shape.join(', ')}]`,
    )
  }
  const declared = checkText(op, `the dtype of ${label}`, spec.dtype)
  const dtype = Object.hasOwn(dtypes, declared) ? dtypes[declared] : undefined
  if (dtype === undefined) {
    throw new FormatError(
      `${op}: ${label} has dtype ${show(declared)}, and weights here are ${Object.keys(dtypes).join(', ')}`,
    )
  }
  const ofOptimizer = spec.group === 'optimizer'
  if (spec.quantization === undefined)
    return { name, shape, dtype, stored: stored[declared]!, codes: undefined, ofOptimizer }
  const codes = checkQuantization(op, label, declared, spec.quantization)
  return { name, shape, dtype, ofOptimizer, ...codes }
}

function checkQuantization(op: string, label: string, declared: string, value: unknown) {
  const { dtype, scale, min } = checkObject(op, `the quantization of ${label}`, value)
  if (dtype === 'float16' && declared === 'float32') return { stored: 'F16', codes: undefined }
  const coded = dtype === 'uint8' || dtype === 'uint16'
  if (!coded || (declared !== 'float32' && declared !== 'int32')) {
    throw new FormatError(
      `${op}: ${label} is quantized from ${show(declared)} to ${show(dtype)}. known are uint8 and uint16 for float32 and int32, and float16 for float32`,
    )
  }
  if (!Number.isFinite(scale) || !Number.isFinite(min)) {
    throw new FormatError(
      `${op}: the quantization of ${label} needs numbers scale and min. got ${show(scale)} and ${show(min)}`,
    )
  }
  return { stored: stored[dtype]!, codes: { scale: scale as number, min: min as number } }
}

/** The weights by name. They belong to the caller. */
export async function readWeights(op: string, weights: readonly TfjsWeight[]): Promise<Map<string, Tensor>> {
  const needed = weights.reduce((sum, { shape, dtype }) => sum + sizeOf(shape) * (dtype === 'uint8' ? 1 : 4), 0)
  const { bytes, limit } = native.memoryReport()
  if (needed + bytes > limit) {
    throw rangeError(
      `${op}: there is no memory for the weights: they take ${needed} bytes, ${bytes} are in use and the limit is ${limit}. free tensors, or raise FERROGRAD_MEMORY_LIMIT`,
    )
  }
  const made = new Map<string, Tensor>()
  try {
    for (const weight of weights) made.set(weight.name, tensor(await numbersOf(op, weight), { shape: weight.shape }))
    return made
  } catch (error) {
    for (const tensor of made.values()) tensor.dispose()
    throw error
  }
}

async function numbersOf(op: string, weight: TfjsWeight): Promise<TypedArray> {
  const bytes = await weight.shards.read(weight.begin, weight.end)
  // Typed arrays stand at multiples of their elements.
  const aligned = bytes.byteOffset % 8 === 0 ? bytes : new Uint8Array(bytes)
  const bad = { at: -1 }
  const { buffer, byteOffset, length } = aligned
  const values = fileDTypes.get(weight.stored)!.convert(buffer as ArrayBuffer, byteOffset, length, bad)
  if (values === undefined) {
    throw new FormatError(
      `${op}: weight ${show(weight.name)}: element ${bad.at} is ${aligned[bad.at]}, and a bool is 0 or 1`,
    )
  }
  if (weight.codes === undefined) return values
  const { scale, min } = weight.codes
  const decoded = weight.dtype === 'float32' ? new Float32Array(values.length) : new Int32Array(values.length)
  const round = weight.dtype === 'float32' ? (value: number) => value : Math.round
  for (let i = 0; i < values.length; i++) decoded[i] = round(values[i]! * scale + min)
  return decoded
}
