// Reading safetensors files: everything is checked before anything is allocated, and the contents come in pieces.

// Why not the Rust crate of the format: it takes equal names twice, a file whole in memory (or mapped, and a mapped file
// that somebody shortens kills the process), and its checks would be followed by ours anyway.

import { type FileHandle, open, stat } from 'node:fs/promises'
import { FormatError, fileError, rangeError } from '../errors.js'
import { native } from '../native/index.js'
import { bytesPerElement } from '../tensor/dtype.js'
import { sizeOf } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { checkHeader } from './check-header.js'
import { readContents } from './contents.js'
import type { FileDType } from './dtypes.js'
import { readAll } from './read-bytes.js'

/** The longest header, as the reference implementation has it. */
const LONGEST_HEADER = 100_000_000

/** A tensor of a file, checked. */
export interface FileTensor {
  readonly name: string
  readonly shape: readonly number[]
  readonly dtype: FileDType
  /** Where its bytes begin in the file, and how many they are. */
  readonly offset: number
  readonly bytes: number
}

/** An open file of which all but the contents has been checked. */
export class TensorFile {
  private constructor(
    private readonly op: string,
    private readonly handle: FileHandle,
    readonly metadata: ReadonlyMap<string, string>,
    /** In the order of their bytes. */
    readonly tensors: readonly FileTensor[],
  ) {}

  /** Opens and checks. `op` is what errors begin with: the function and the path. */
  static async open(op: string, path: string, maxBytes = Infinity): Promise<TensorFile> {
    const handle = await openRegular(op, path)
    try {
      const { size } = await handle.stat()
      if (size > maxBytes) throw new FormatError(`${op}: the file has ${size} bytes, more than maxBytes ${maxBytes}`)
      const { text, length } = await readHeader(op, handle, size)
      const { tensors, metadata } = await checkHeader(op, text, 8 + length, size)
      return new TensorFile(op, handle, metadata, tensors)
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  /** Native memory that the tensors of `wanted` take. */
  static memory(wanted: readonly FileTensor[]): number {
    return wanted.reduce((sum, { shape, dtype }) => sum + sizeOf(shape) * bytesPerElement[dtype.dtype], 0)
  }

  /** The tensors of `wanted`, by name. They belong to the caller. */
  async read(wanted: readonly FileTensor[] = this.tensors): Promise<Map<string, Tensor>> {
    const needed = TensorFile.memory(wanted)
    const { bytes, limit } = native.memoryReport()
    if (needed + bytes > limit) {
      throw rangeError(
        `${this.op}: there is no memory for the tensors: they take ${needed} bytes, ${bytes} are in use and the limit is ${limit}. free tensors, or raise FERROGRAD_MEMORY_LIMIT`,
      )
    }
    return readContents(this.op, this.handle, wanted)
  }

  async close(): Promise<void> {
    await this.handle.close()
  }
}

async function openRegular(op: string, path: string): Promise<FileHandle> {
  try {
    // Before it is opened: opening a pipe waits for somebody to write.
    if (!(await stat(path)).isFile()) throw new FormatError(`${op}: this is not a file`)
    return await open(path, 'r')
  } catch (error) {
    throw error instanceof FormatError ? error : fileError(`${op}: the file cannot be read`, error)
  }
}

async function readHeader(op: string, handle: FileHandle, size: number): Promise<{ text: string; length: number }> {
  if (size < 8) {
    throw new FormatError(
      `${op}: this is not a safetensors file: it has ${size} bytes, and 8 tell the length of the header`,
    )
  }
  const length = Number((await readAll(op, handle, 0, 8)).readBigUInt64LE())
  if (length > LONGEST_HEADER) {
    throw new FormatError(
      `${op}: this is not a safetensors file: its header would have ${length} bytes, and ${LONGEST_HEADER} are allowed (byte 0)`,
    )
  }
  if (8 + length > size) {
    throw new FormatError(
      `${op}: the file is cut off: the header has ${length} bytes, and the file ends after ${size - 8} of them (byte 0)`,
    )
  }
  const bytes = await readAll(op, handle, 8, length)
  try {
    return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes), length }
  } catch (error) {
    throw new FormatError(`${op}: the header is not UTF-8 (bytes 8 to ${7 + length})`, { cause: error })
  }
}
