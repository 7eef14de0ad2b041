// What the header of a file claims, against its size: before anything is allocated.

import { FormatError } from '../errors.js'
import { sizeOf } from '../tensor/shape.js'
import { fileDTypes, foreignDTypes } from './dtypes.js'
import { type HeaderEntry, HeaderError, HeaderReader, showName } from './header.js'
import type { FileTensor } from './tensor-file.js'

/** A tensor has at most this many elements. */
const MOST_ELEMENTS = 2 ** 40
/** Entries that are read before the event loop has its turn. */
const TURN = 2000

/** @internal What the header says, checked against the size of the file. `start` is where the contents begin. */
export async function checkHeader(
  op: string,
  text: string,
  start: number,
  size: number,
): Promise<{ tensors: FileTensor[]; metadata: ReadonlyMap<string, string> }> {
  const checker = new HeaderChecker(op, text, start, size)
  while (!checker.advance(TURN)) await new Promise((resolve) => setImmediate(resolve))
  return checker.result()
}

/** Checks a header in turns. */
export class HeaderChecker {
  private readonly reader: HeaderReader
  private readonly entries: HeaderEntry[] = []

  constructor(
    private readonly op: string,
    private readonly text: string,
    private readonly start: number,
    private readonly size: number,
  ) {
    this.reader = new HeaderReader(text)
  }

  /** Reads some entries. True at the end. */
  advance(count: number): boolean {
    try {
      for (let i = 0; i < count; i++) {
        const entry = this.reader.next()
        if (entry === undefined) return true
        checkEntry(entry)
        this.entries.push(entry)
      }
      return false
    } catch (error) {
      throw this.located(error)
    }
  }

  /** The tensors, in the order of their bytes, which must follow each other without holes. */
  result(): { tensors: FileTensor[]; metadata: ReadonlyMap<string, string> } {
    const { entries, start, size } = this
    entries.sort((a, b) => a.begin - b.begin || a.end - b.end)
    try {
      let end = 0
      for (const entry of entries) {
        const label = `tensor ${showName(entry.name)}`
        if (entry.begin !== end) {
          const what = entry.begin > end ? 'leaves a hole before itself' : 'overlaps another tensor'
          throw new HeaderError(
            `${label} ${what}: it begins at ${entry.begin}, and the one before ends at ${end}`,
            entry.at,
          )
        }
        end = entry.end
        if (start + end > size) {
          const rest = `the file has ${size - start} bytes behind the header`
          throw new HeaderError(`${label} is cut off: it ends at ${end}, and ${rest}`, entry.at)
        }
      }
      if (start + end !== size) {
        throw new FormatError(
          `${this.op}: ${size - start - end} bytes behind the last tensor belong to nothing (byte ${start + end})`,
        )
      }
    } catch (error) {
      throw this.located(error)
    }
    const tensors = entries.map(({ name, shape, dtype, begin, end }) => ({
      ...{ name, shape, dtype: fileDTypes.get(dtype)! },
      ...{ offset: start + begin, bytes: end - begin },
    }))
    return { tensors, metadata: this.reader.metadata }
  }

  private located(error: unknown): unknown {
    if (!(error instanceof HeaderError)) return error
    const byte = 8 + Buffer.byteLength(this.text.slice(0, error.at))
    return new FormatError(`${this.op}: the header is wrong: ${error.message} (byte ${byte})`)
  }
}

function checkEntry({ name, dtype, shape, begin, end, at }: HeaderEntry): void {
  const label = `tensor ${showName(name)}`
  const known = fileDTypes.get(dtype)
  if (known === undefined) {
    const why = foreignDTypes.has(dtype) ? 'no tensor here can hold; save it as F32' : 'the format does not have'
    throw new HeaderError(`${label} has dtype ${showName(dtype)}, which ${why}`, at)
  }
  let elements = 1
  for (const dimension of shape) elements = Math.min(elements * Math.max(dimension, 1), MOST_ELEMENTS + 1)
  if (elements > MOST_ELEMENTS) {
    throw new HeaderError(
      `${label} is too large: a tensor holds at most 2^40 elements. shape [${shape.join(', ')}]`,
      at,
    )
  }
  const bytes = sizeOf(shape) * known.bytes
  if (end - begin !== bytes) {
    throw new HeaderError(
      `${label} takes ${bytes} bytes as ${dtype} of shape [${shape.join(', ')}], but its data_offsets are ${begin} and ${end}`,
      at,
    )
  }
}
