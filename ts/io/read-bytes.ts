// Bytes of a file, all that were asked for.

import type { FileHandle } from 'node:fs/promises'
import { FormatError, fileError } from '../errors.js'

/** @internal `length` bytes from `position`. */
export async function readAll(
  op: string,
  handle: Pick<FileHandle, 'read'>,
  position: number,
  length: number,
): Promise<Buffer> {
  const buffer = Buffer.alloc(length)
  await readInto(op, handle, buffer, position)
  return buffer
}

/** @internal Fills `buffer` with the bytes from `position`, however many reads it takes. */
export async function readInto(
  op: string,
  handle: Pick<FileHandle, 'read'>,
  buffer: Uint8Array,
  position: number,
): Promise<void> {
  for (let done = 0; done < buffer.length; ) {
    try {
      const { bytesRead } = await handle.read(buffer, done, buffer.length - done, position + done)
      if (bytesRead === 0)
        throw new FormatError(`${op}: the file was shortened while it was read (byte ${position + done})`)
      done += bytesRead
    } catch (error) {
      if (error instanceof FormatError) throw error
      if ((error as { code?: string }).code !== 'EINTR') throw fileError(`${op}: the file cannot be read`, error)
    }
  }
}
