// Safetensors files with something wrong in them, by the million.

import { FormatError } from 'ferrograd'
import { HeaderChecker } from '../../dist/io/check-header.js'
import { readContents } from '../../dist/io/contents.js'
import type { Fuzzed } from './fuzz.js'
import { fileOf } from './safetensors.js'

const valid = [
  fileOf({ a: { dtype: 'F32', shape: [2, 2], data_offsets: [0, 16] } }, new Uint8Array(16)),
  fileOf(
    {
      __metadata__: { format: 'pt', x: 'é\n"' },
      b: { dtype: 'I64', shape: [2], data_offsets: [0, 16] },
      'c/d': { dtype: 'BOOL', shape: [3], data_offsets: [16, 19] },
      e: { dtype: 'F16', shape: [0, 7], data_offsets: [19, 19] },
      f: { dtype: 'BF16', shape: [], data_offsets: [19, 21] },
    },
    new Uint8Array(21).fill(1),
  ),
  fileOf(' {"x":{"shape":[1],"data_offsets":[0,1],"dtype":"U8"}} ', new Uint8Array(1)),
  fileOf({}),
]
const words = [
  ...[
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '\\',
    '\\u0000',
    '\\ud800',
    '0',
    '-1',
    '1e9',
    '2.5',
    '9007199254740993',
    'null',
    ' ',
    '\0',
  ],
  ...[
    '"__proto__"',
    '"__metadata__"',
    '"dtype"',
    '"shape"',
    '"data_offsets"',
    '"F64"',
    '"F8_E4M3"',
    '"C64"',
    '18446744073709551616',
  ],
  ...[
    '[[[[[[[[',
    '{"a":',
    '"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},',
    '\ufeff',
    'é',
    '[0,16]',
    '4294967296',
  ],
]

/** A valid file with one to three changes, most of them in the header. */
function mutated(next: () => number): Buffer {
  let bytes = Buffer.from(valid[next() % valid.length]!)
  for (let changes = next() % 3 > 0 ? 1 : 1 + (next() % 3); changes > 0; changes--) {
    const header = Math.min(bytes.length, 8 + 200)
    const at = next() % (header + 1)
    const word = Buffer.from(words[next() % words.length]!)
    switch (next() % 8) {
      case 0:
        if (at < bytes.length) bytes[at]! ^= 1 << (next() % 8)
        break
      case 1:
        if (at < bytes.length) bytes[at] = next() % 256
        break
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, at), word, bytes.subarray(at)])
        break
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, at), word, bytes.subarray(at + word.length)])
        break
      case 4:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + (next() % 12))])
        break
      case 5: {
        const from = next() % (header + 1)
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(from, from + (next() % 60)), bytes.subarray(at)])
        break
      }
      case 6:
        bytes = Buffer.from(bytes.subarray(0, at))
        break
      case 7:
        bytes = Buffer.concat([bytes, Buffer.alloc(next() % 9)])
        break
    }
    // Else nearly all of them would stop at a length that is wrong.
    if (bytes.length >= 8 && next() % 8 > 0) {
      const end = bytes.lastIndexOf('}')
      bytes.writeBigUInt64LE(BigInt(Math.max(0, (end < 8 ? bytes.length : end + 1) - 8)))
    }
  }
  return bytes
}

/** The file as `TensorFile` reads it, from memory. */
async function read(bytes: Buffer): Promise<void> {
  const length = bytes.length < 8 ? Number.NaN : Number(bytes.readBigUInt64LE())
  if (!(length <= 100_000_000 && 8 + length <= bytes.length)) throw new FormatError('the length')
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.subarray(8, 8 + length))
  } catch {
    throw new FormatError('UTF-8')
  }
  const checker = new HeaderChecker('fuzz', text, 8 + length, bytes.length)
  while (!checker.advance(100)) {}
  const { tensors, metadata } = checker.result()
  for (const value of metadata.values()) if (typeof value !== 'string') throw new Error('metadata that is no text')
  const handle = {
    async read(buffer: Uint8Array, offset: number, length: number, position: number) {
      return { bytesRead: bytes.copy(buffer, offset, position, position + length), buffer }
    },
  }
  const made = await readContents('fuzz', handle as never, tensors)
  if (made.size !== tensors.length) throw new Error('a tensor is missing')
  for (const tensor of made.values()) tensor.dispose()
}

/** The parser of safetensors files, as `fuzz` takes it. */
export const safetensors: Fuzzed = { mutated, read }
