// IDX, the format of MNIST: a header, then numbers.

import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { FormatError } from '../errors.js'
import type { TypedArray } from '../tensor/dtype.js'

/** What an IDX file holds. */
export interface IdxArray {
  shape: number[]
  /** uint8 as bytes; int8 and int16 as int32; the others as they are. */
  values: TypedArray
}

interface Kind {
  bytes: number
  make(length: number): TypedArray
  read(view: DataView, at: number): number
}

const kinds: Readonly<Record<number, Kind>> = {
  8: { bytes: 1, make: (n) => new Uint8Array(n), read: (view, at) => view.getUint8(at) },
  9: { bytes: 1, make: (n) => new Int32Array(n), read: (view, at) => view.getInt8(at) },
  11: { bytes: 2, make: (n) => new Int32Array(n), read: (view, at) => view.getInt16(at) },
  12: { bytes: 4, make: (n) => new Int32Array(n), read: (view, at) => view.getInt32(at) },
  13: { bytes: 4, make: (n) => new Float32Array(n), read: (view, at) => view.getFloat32(at) },
  14: { bytes: 8, make: (n) => new Float64Array(n), read: (view, at) => view.getFloat64(at) },
}

const MOST_AXES = 32

/**
 * Reads the bytes of an IDX file, which must hold exactly what its header says. `name` stands in errors.
 *
 * Format: two zero bytes, the kind of number, the number of axes, the size of each axis as a big-endian uint32, and the
 * numbers, big-endian, the last axis fastest (LeCun, Cortes and Burges, The MNIST database).
 */
export function readIdx(name: string, bytes: Uint8Array): IdxArray {
  const wrong = (what: string) => new FormatError(`idx "${name}": ${what}`)
  if (bytes.length < 4) throw wrong(`the file ends in its first four bytes. it has ${bytes.length} bytes`)
  const [zero, alsoZero, code, axes] = bytes as unknown as [number, number, number, number]
  if (zero !== 0 || alsoZero !== 0) {
    throw wrong(
      `it is no IDX file, which begins with two zero bytes. byte 0 is ${hex(zero)}, byte 1 is ${hex(alsoZero)}`,
    )
  }
  const kind = kinds[code]
  if (kind === undefined) throw wrong(`byte 2 names no kind of number: ${hex(code)}`)
  if (axes > MOST_AXES) throw wrong(`byte 3 says ${axes} axes. at most ${MOST_AXES} are read`)
  const start = 4 + 4 * axes
  if (bytes.length < start) {
    throw wrong(`the header of ${axes} axes takes ${start} bytes, but the file ends after ${bytes.length}`)
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const shape = Array.from({ length: axes }, (_, axis) => view.getUint32(4 + 4 * axis))
  // Beyond 2^53 the product is not exact, but still far larger than any file.
  const wanted = shape.reduce((product, size) => product * size, 1) * kind.bytes
  if (bytes.length - start !== wanted) {
    throw wrong(
      `its header says [${shape.join(', ')}], which takes ${wanted} bytes from byte ${start} on, but ${bytes.length - start} follow`,
    )
  }
  if (code === 0x08) return { shape, values: bytes.subarray(start) }
  const values = kind.make(wanted / kind.bytes)
  for (let i = 0; i < values.length; i++) values[i] = kind.read(view, start + i * kind.bytes)
  return { shape, values }
}

function hex(byte: number): string {
  return `0x${byte.toString(16).padStart(2, '0')}`
}

const unzip = promisify(gunzip)

/** Whether bytes begin as gzip does. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b
}

/**
 * What gzip holds, of at most `maxBytes`, unpacked on another thread. Files that end too early, have a wrong
 * checksum or would become larger are a `FormatError`.
 */
export async function gunzipWithin(name: string, bytes: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  try {
    return await unzip(bytes, { maxOutputLength: Math.max(maxBytes, 1) })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      throw new FormatError(
        `gzip "${name}": its ${bytes.length} bytes unpack to more than ${maxBytes}. raise maxBytes if that is meant`,
        { cause: error },
      )
    }
    throw new FormatError(
      `gzip "${name}": it does not unpack: ${(error as Error).message}. it has ${bytes.length} bytes`,
      {
        cause: error,
      },
    )
  }
}
