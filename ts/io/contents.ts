// The contents of a file of tensors, from the disk into native memory piece by piece.

import type { FileHandle } from 'node:fs/promises'
import { FormatError } from '../errors.js'
import { native } from '../native/index.js'
import { tensor } from '../tensor/create.js'
import { sizeOf } from '../tensor/shape.js'
import { empty, type Tensor } from '../tensor/tensor.js'
import { showName } from './header.js'
import { readInto } from './read-bytes.js'
import type { FileTensor } from './tensor-file.js'

/** Bytes that are read at a time: beside the tensors no more than this is in memory. A multiple of every element. */
const PIECE = 4 << 20
/** Tensors that are made before the event loop has its turn, where none of them waits for the disk. */
const TURN = 1000

/** The tensors of `wanted`, by name. They belong to the caller. */
export async function readContents(
  op: string,
  handle: Pick<FileHandle, 'read'>,
  wanted: readonly FileTensor[],
): Promise<Map<string, Tensor>> {
  const made = new Map<string, Tensor>()
  const window = new Window(op, handle, wanted.at(-1))
  try {
    for (const [i, file] of wanted.entries()) {
      made.set(file.name, await readTensor(op, window, file))
      if (i % TURN === TURN - 1) await new Promise((resolve) => setImmediate(resolve))
    }
    return made
  } catch (error) {
    for (const tensor of made.values()) tensor.dispose()
    throw error
  }
}

async function readTensor(op: string, window: Window, file: FileTensor): Promise<Tensor> {
  const { shape, dtype, bytes } = file
  if (bytes === 0) return empty(shape, dtype.dtype)
  if (bytes <= PIECE) return piece(op, window, file, 0, bytes, shape)
  const whole = empty(shape, dtype.dtype)
  const marker = empty([1], 'uint8')
  try {
    for (let done = 0; done < bytes; done += PIECE) {
      const length = Math.min(PIECE, bytes - done)
      const part = await piece(op, window, file, done, length, [length / dtype.bytes])
      native.insertForward(part.handle, whole.handle, Float64Array.of(sizeOf(shape), done / dtype.bytes, part.size))
      part.dispose()
      // Read behind the piece, it says when its memory is free again: so no more than one is needed.
      await marker.data()
    }
    return whole
  } catch (error) {
    whole.dispose()
    throw error
  } finally {
    marker.dispose()
  }
}

/** A tensor of `length` bytes of the file's tensor, from its byte `done` on. */
async function piece(
  op: string,
  window: Window,
  { name, dtype, offset }: FileTensor,
  done: number,
  length: number,
  shape: readonly number[],
): Promise<Tensor> {
  const bytes = await window.view(offset + done, length)
  // Typed arrays stand at multiples of their elements.
  const aligned = bytes.byteOffset % 8 === 0 ? bytes : bytes.slice()
  const bad = { at: -1 }
  const values = dtype.convert(aligned.buffer, aligned.byteOffset, length, bad)
  if (values === undefined) {
    const view = new DataView(aligned.buffer, aligned.byteOffset + bad.at * dtype.bytes, dtype.bytes)
    throw new FormatError(
      `${op}: tensor ${showName(name)}: element ${done / dtype.bytes + bad.at} is ${dtype.element!(view)}, and ${dtype.bytes === 1 ? 'a BOOL is 0 or 1' : 'integers are read as int32, which holds those from -2^31 to 2^31 - 1'} (byte ${offset + done + bad.at * dtype.bytes})`,
    )
  }
  return tensor(values, { shape })
}

/** The part of the file that is in memory. */
class Window {
  private readonly bytes: Uint8Array<ArrayBuffer>
  private start = 0
  private end = 0
  /** Where the last tensor ends. */
  private readonly last: number

  constructor(
    private readonly op: string,
    private readonly handle: Pick<FileHandle, 'read'>,
    last: FileTensor | undefined,
  ) {
    this.last = last === undefined ? 0 : last.offset + last.bytes
    this.bytes = new Uint8Array(Math.min(PIECE, this.last))
  }

  /** The bytes from `position`, at most a piece, as they are until the next call. */
  async view(position: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    if (position < this.start || position + length > this.end) {
      const filled = this.bytes.subarray(0, Math.min(this.bytes.length, this.last - position))
      this.end = this.start = position
      await readInto(this.op, this.handle, filled, position)
      this.end = position + filled.length
    }
    return this.bytes.subarray(position - this.start, position - this.start + length)
  }
}
