// Reads TensorBoard's event files, from the definitions alone and without the libraries that write them.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** CRC-32C bit by bit: the polynomial 0x1EDC6F41, reflected. */
export function crc32c(data: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of data) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  }
  return ~crc >>> 0
}

function unmasked(value: number): number {
  const rotated = (value - 0xa282ead8) >>> 0
  return ((rotated << 15) | (rotated >>> 17)) >>> 0
}

/** The records of a TFRecord file. Throws where a checksum is wrong or bytes are left. */
export function records(file: Buffer): Buffer[] {
  const found: Buffer[] = []
  for (let at = 0; at < file.length; ) {
    const length = Number(file.readBigUInt64LE(at))
    const data = file.subarray(at + 12, at + 12 + length)
    if (unmasked(file.readUInt32LE(at + 8)) !== crc32c(file.subarray(at, at + 8))) throw new Error(`length at ${at}`)
    if (data.length !== length) throw new Error(`cut off at ${at}`)
    if (unmasked(file.readUInt32LE(at + 12 + length)) !== crc32c(data)) throw new Error(`data at ${at}`)
    found.push(data)
    at += 16 + length
  }
  return found
}

type Field = { number: number; value: number | Buffer; at: Buffer }

/** The fields of a message: numbers for varints, bytes for the rest. */
function fields(message: Buffer): Field[] {
  const found: Field[] = []
  let at = 0
  const varint = () => {
    let value = 0
    for (let shift = 1; ; shift *= 128) {
      const byte = message[at++]!
      value += (byte & 127) * shift
      if (byte < 128) return value
    }
  }
  while (at < message.length) {
    const key = varint()
    const kind = key & 7
    const value = kind === 0 ? varint() : kind === 2 ? varint() : kind === 1 ? 8 : 4
    const bytes = kind === 0 ? Buffer.alloc(0) : message.subarray(at, at + value)
    if (kind !== 0) at += value
    found.push({ number: Math.floor(key / 8), value: kind === 0 ? value : bytes, at: bytes })
  }
  return found
}

const doubles = (bytes: Buffer) => Array.from({ length: bytes.length / 8 }, (_, i) => bytes.readDoubleLE(8 * i))

export interface Distribution {
  min: number
  max: number
  num: number
  sum: number
  sumSquares: number
  limits: number[]
  buckets: number[]
}
export interface Picture {
  height: number
  width: number
  channels: number
  png: Buffer
}
export interface Entry {
  tag: string
  step: number
  time: number
  value: number | Distribution | Picture
}

function distribution(message: Buffer): Distribution {
  const all = new Map(fields(message).map(({ number, at }) => [number, doubles(at)]))
  const one = (number: number) => all.get(number)?.[0] ?? 0
  const [min, max, num, sum, sumSquares] = [1, 2, 3, 4, 5].map(one) as [number, number, number, number, number]
  return { min, max, num, sum, sumSquares, limits: all.get(6) ?? [], buckets: all.get(7) ?? [] }
}

function picture(message: Buffer): Picture {
  const all = new Map(fields(message).map(({ number, value }) => [number, value]))
  const [height, width, channels] = [1, 2, 3].map((number) => all.get(number)) as [number, number, number]
  return { height, width, channels, png: all.get(4) as Buffer }
}

function entry(message: Buffer, step: number, time: number): Entry {
  const all = new Map(fields(message).map(({ number, at }) => [number, at]))
  const tag = all.get(1)!.toString()
  if (all.has(2)) return { tag, step, time, value: all.get(2)!.readFloatLE() }
  return { tag, step, time, value: all.has(5) ? distribution(all.get(5)!) : picture(all.get(4)!) }
}

/** What the event files of a run tell, in order. */
export function readRun(folder: string): Entry[] {
  return readdirSync(folder)
    .sort()
    .flatMap((name) => {
      if (!name.includes('tfevents')) throw new Error(`no event file: ${name}`)
      return records(readFileSync(join(folder, name))).flatMap((record, i) => {
        const all = fields(record)
        const time = all.find(({ number }) => number === 1)!.at.readDoubleLE()
        const step = (all.find(({ number }) => number === 2)?.value ?? 0) as number
        const version = all.find(({ number }) => number === 3)?.at.toString()
        if (i === 0 ? version !== 'brain.Event:2' : version !== undefined) throw new Error(`version ${version}`)
        const summary = all.find(({ number }) => number === 5)?.at
        return summary === undefined ? [] : fields(summary).map(({ at }) => entry(at, step, time))
      })
    })
}
