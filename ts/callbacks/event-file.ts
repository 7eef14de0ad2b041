// Files of events, as TensorBoard reads them: messages in frames with checksums.

import { type FileHandle, mkdir, open } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import crc32c from 'crc-32/crc32c.js'
import { fileError, show } from '../errors.js'
import { EventSchema, type Summary_ValueSchema } from './event_pb.js'

/** What is told under one tag. */
export type SummaryValue = MessageInitShape<typeof Summary_ValueSchema>
type What = MessageInitShape<typeof EventSchema>['what']

let files = 0

/** @internal One file of a run. TensorBoard shows a folder with such files as a run of the folder's name. */
export class EventFile {
  private constructor(
    private readonly op: string,
    private readonly handle: FileHandle,
  ) {}

  /** A new file in `folder`, which is made if it is missing. `op` is what errors begin with. */
  static async create(op: string, folder: string): Promise<EventFile> {
    const host = hostname().replaceAll(/[^\w-]/g, '-')
    // Files are read in the order of their names.
    const seconds = String(Math.floor(Date.now() / 1000)).padStart(10, '0')
    const number = String(files++).padStart(6, '0')
    const path = join(folder, `events.out.tfevents.${seconds}.${host}.${process.pid}.${number}`)
    let handle: FileHandle | undefined
    try {
      await mkdir(folder, { recursive: true })
      handle = await open(path, 'wx')
    } catch (error) {
      throw fileError(`${op}: nothing can be written into ${show(folder)}`, error)
    }
    const file = new EventFile(op, handle)
    // Without this as the first event it would be a file of an older format.
    await file.append(0, { case: 'fileVersion', value: 'brain.Event:2' })
    return file
  }

  /** Writes what was found at one step. */
  async write(step: number, value: SummaryValue[]): Promise<void> {
    await this.append(step, { case: 'summary', value: { value } })
  }

  async close(): Promise<void> {
    await this.handle.close()
  }

  private async append(step: number, what: NonNullable<What>): Promise<void> {
    const event = create(EventSchema, { wallTime: Date.now() / 1000, step: BigInt(step), what })
    try {
      await this.handle.appendFile(frame(toBinary(EventSchema, event)))
    } catch (error) {
      throw fileError(`${this.op}: the events cannot be written`, error)
    }
  }
}

/** The framing of TFRecord files: length, its checksum, the bytes, their checksum. */
function frame(data: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(data.length + 16)
  bytes.writeBigUInt64LE(BigInt(data.length))
  bytes.writeUInt32LE(masked(bytes.subarray(0, 8)), 8)
  bytes.set(data, 12)
  bytes.writeUInt32LE(masked(data), 12 + data.length)
  return bytes
}

/** A checksum that differs from that of data which hold a checksum: rotated, and a constant added. */
function masked(data: Uint8Array): number {
  const crc = crc32c.buf(data) >>> 0
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}
