// IDX files with something wrong in them.

import { readIdx } from '../../dist/data/idx.js'
import type { Fuzzed } from './fuzz.js'

/** Codes of kinds of number, and the bytes that one takes. */
const kinds = [
  [0x08, 1],
  [0x09, 1],
  [0x0b, 2],
  [0x0c, 4],
  [0x0d, 4],
  [0x0e, 8],
] as const

/** The bytes of an IDX file. */
export function idxFile(code: number, shape: readonly number[], data: Uint8Array): Buffer {
  const header = Buffer.alloc(4 + 4 * shape.length)
  header.writeUInt8(code, 2)
  header.writeUInt8(shape.length, 3)
  for (const [axis, size] of shape.entries()) header.writeUInt32BE(size, 4 + 4 * axis)
  return Buffer.concat([header, data])
}

/** A valid file with up to three changes. */
function mutated(next: () => number): Buffer {
  const shape = Array.from({ length: next() % 4 }, () => next() % 5)
  const [code, size] = kinds[next() % kinds.length]!
  const bytes = shape.reduce((product, n) => product * n, 1) * size
  let file = idxFile(code, shape, Buffer.alloc(bytes, next() % 256))
  for (let changes = next() % 4; changes > 0 && file.length > 0; changes--) {
    const at = next() % file.length
    const kind = next() % 4
    if (kind === 0) file = file.subarray(0, at)
    else if (kind === 1) file = Buffer.concat([file, Buffer.alloc(next() % 9)])
    else if (kind === 2) file[at]! ^= 1 << (next() % 8)
    else file[at] = next() % 256
  }
  return file
}

/** The parser of IDX files, as `fuzz` takes it. */
export const idx: Fuzzed = {
  mutated,
  read(bytes) {
    const { shape, values } = readIdx('fuzz', bytes)
    const wanted = shape.reduce((product, size) => product * size, 1)
    if (values.length !== wanted) throw new Error(`${values.length} values of shape [${shape}]`)
  },
}
