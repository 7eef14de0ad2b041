// IDX files, whole and broken.
import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import test from 'ava'
import { FormatError } from 'ferrograd'
import { gunzipWithin, isGzip, readIdx } from '../../dist/data/idx.js'
import { fuzz } from '../helpers/fuzz.js'
import { idx, idxFile } from '../helpers/fuzz-idx.js'
import { testMalformed } from '../helpers/malformed.js'

test('every kind of number is read, big-endian', (t) => {
  const cases: [number, number[], string][] = [
    [0x08, [0, 255], '00ff'],
    [0x09, [-1, 127], 'ff7f'],
    [0x0b, [-2, 258], 'fffe0102'],
    [0x0c, [-2, 16909060], 'fffffffe01020304'],
    [0x0d, [1, -0.5], '3f800000bf000000'],
    [0x0e, [1, -0.5], '3ff0000000000000bfe0000000000000'],
  ]
  for (const [code, values, hex] of cases) {
    const found = readIdx('x', idxFile(code, [2, 1], Buffer.from(hex, 'hex')))
    t.deepEqual(found.shape, [2, 1])
    t.deepEqual(Array.from(found.values), values)
  }
  t.deepEqual(readIdx('x', idxFile(8, [], Buffer.from([7]))).shape, [])
  t.is(readIdx('x', idxFile(8, [0, 5], Buffer.alloc(0))).values.length, 0)
  // Bytes that begin anywhere in their buffer.
  const odd = Buffer.concat([Buffer.from([1]), idxFile(0x0e, [1], Buffer.from('3ff0000000000000', 'hex'))]).subarray(1)
  t.deepEqual(Array.from(readIdx('x', odd).values), [1])
})

test('what is wrong is said with its place', (t) => {
  const cases: [Buffer, string][] = [
    [Buffer.alloc(0), 'the file ends in its first four bytes. it has 0 bytes'],
    [Buffer.alloc(3), 'the file ends in its first four bytes. it has 3 bytes'],
    [Buffer.from('<html>'), 'it is no IDX file, which begins with two zero bytes. byte 0 is 0x3c, byte 1 is 0x68'],
    [idxFile(0x0a, [1], Buffer.alloc(1)), 'byte 2 names no kind of number: 0x0a'],
    [idxFile(8, new Array(33).fill(1), Buffer.alloc(1)), 'byte 3 says 33 axes. at most 32 are read'],
    [Buffer.from([0, 0, 8, 3, 0, 0]), 'the header of 3 axes takes 16 bytes, but the file ends after 6'],
    [idxFile(8, [2, 2], Buffer.alloc(3)), 'its header says [2, 2], which takes 4 bytes from byte 12 on, but 3 follow'],
    [idxFile(0x0c, [2], Buffer.alloc(9)), 'its header says [2], which takes 8 bytes from byte 8 on, but 9 follow'],
    [
      idxFile(8, [65536, 65536], Buffer.alloc(4)),
      'its header says [65536, 65536], which takes 4294967296 bytes from byte 12 on, but 4 follow',
    ],
  ]
  for (const [bytes, message] of cases) {
    t.throws(() => readIdx('some.idx', bytes), { instanceOf: FormatError, message: `idx "some.idx": ${message}` })
  }
})

test('gzip is unpacked up to a limit, and only if it is whole', async (t) => {
  const bytes = Buffer.alloc(100_000, 3)
  const packed = gzipSync(bytes)
  t.true(isGzip(packed))
  t.false(isGzip(bytes))
  t.deepEqual(Buffer.from(await gunzipWithin('x', packed, 100_000)), bytes)
  await t.throwsAsync(gunzipWithin('x', packed, 99_999), {
    instanceOf: FormatError,
    message: `gzip "x": its ${packed.length} bytes unpack to more than 99999. raise maxBytes if that is meant`,
  })
  const cut = packed.subarray(0, packed.length - 4)
  await t.throwsAsync(gunzipWithin('x', cut, 100_000), {
    instanceOf: FormatError,
    message: `gzip "x": it does not unpack: unexpected end of file. it has ${cut.length} bytes`,
  })
  const wrong = Buffer.from(packed)
  wrong[wrong.length - 8]! ^= 1
  await t.throwsAsync(gunzipWithin('x', wrong, 100_000), {
    message: `gzip "x": it does not unpack: incorrect data check. it has ${wrong.length} bytes`,
  })
})

test('no change of a file does more than give other numbers or a FormatError', async (t) => {
  const { accepted, refused } = await fuzz({ parser: idx, count: 20_000, seed: 1 })
  t.true(accepted > 1000 && refused > 1000, `${accepted} read, ${refused} refused`)
})

testMalformed('idx', 11, async (_t, file) => {
  const bytes = readFileSync(file)
  readIdx('x', isGzip(bytes) ? await gunzipWithin('x', bytes, 1 << 20) : bytes)
})
