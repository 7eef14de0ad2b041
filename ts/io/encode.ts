// Tensors as the bytes of a safetensors file.

import { rangeError, show, typeError } from '../errors.js'
import { native } from '../native/index.js'
import { bytesPerElement, type DType, type TypedArray } from '../tensor/dtype.js'
import { unscoped } from '../tensor/scope.js'
import { alias, checkTensor, empty, type Tensor } from '../tensor/tensor.js'
import { Variable } from '../tensor/variable.js'
import { nameInFile } from './dtypes.js'

/** Bytes that are copied out of native memory at a time. A multiple of every element. */
const PIECE = 8 << 20
/** Tensors that are copied out at a time. */
const TOGETHER = 1024

/** Contents as they were when the snapshot was made. */
interface Part {
  readonly name: string
  readonly shape: readonly number[]
  readonly dtype: DType
  readonly bytes: number
  /** Of a tensor, whose contents never change. */
  readonly fixed: Tensor | undefined
  /** Of what changes: a copy, ordered at once. */
  readonly copy: Promise<TypedArray> | undefined
}

/** Some tensors at one moment, on their way into a file. Nothing that happens to them later matters. */
export class Snapshot {
  private readonly parts: Part[]
  private readonly header: Uint8Array

  /**
   * `op` is what errors begin with. Does all its work before it returns. `changing` says that the tensors, too, and not
   * only variables may be changed in place.
   */
  constructor(
    op: string,
    tensors: Iterable<readonly [string, Tensor]>,
    { metadata = {}, changing = false }: { metadata?: Readonly<Record<string, string>>; changing?: boolean } = {},
  ) {
    const checked = [...tensors].map(([name, tensor]) => {
      checkName(op, name)
      checkTensor(op, `the tensor ${show(name)}`, tensor)
      return [name, tensor] as const
    })
    // Large elements first: so each stands at a multiple of its size, as the reference implementation has it.
    checked.sort(([, a], [, b]) => bytesPerElement[b.dtype] - bytesPerElement[a.dtype])
    this.header = headerOf(op, checked, metadata)
    this.parts = checked.map(([name, tensor]) => partOf(name, tensor, changing || tensor instanceof Variable))
  }

  /** The bytes of the file, in pieces. Can be gone through once. */
  async *bytes(): AsyncGenerator<Uint8Array> {
    yield this.header
    const { parts } = this
    for (let start = 0; start < parts.length; ) {
      const group: Part[] = []
      for (let bytes = 0; start < parts.length && group.length < TOGETHER; start++) {
        const part = parts[start]!
        bytes += part.bytes
        if (group.length > 0 && bytes > PIECE) break
        group.push(part)
      }
      yield* this.contents(group)
      for (const part of group) release(part)
      // What is written need not be kept.
      parts.fill(done, start - group.length, start)
    }
  }

  /** Lets go of what has not been written. */
  dispose(): void {
    for (const part of this.parts.splice(0)) release(part)
  }

  private async *contents(group: readonly Part[]): AsyncGenerator<Uint8Array> {
    const [first] = group
    if (group.length === 1 && first!.fixed !== undefined && first!.bytes > PIECE) {
      for (let begin = 0; begin < first!.bytes; begin += PIECE) yield await slicePiece(first!.fixed, begin)
      return
    }
    const read = await Promise.all(group.map(({ fixed, copy }) => copy ?? fixed!.data()))
    const views = read.map((values) => Buffer.from(values.buffer, values.byteOffset, values.byteLength))
    if (views.length === 1) yield views[0]!
    else yield Buffer.concat(views)
  }
}

const done: Part = { name: '', shape: [], dtype: 'uint8', bytes: 0, fixed: undefined, copy: undefined }

function partOf(name: string, tensor: Tensor, changes: boolean): Part {
  const { shape, dtype, size } = tensor
  const copy = changes ? tensor.data() : undefined
  // Whoever writes it sees the error; until then it is not unhandled.
  copy?.catch(() => {})
  const fixed = changes ? undefined : alias(tensor)
  return { name, shape, dtype, bytes: size * bytesPerElement[dtype], fixed, copy }
}

function release({ fixed }: Part): void {
  fixed?.dispose()
}

/** The bytes of a large tensor from `begin` on. */
async function slicePiece(x: Tensor, begin: number): Promise<Uint8Array> {
  const width = bytesPerElement[x.dtype]
  const count = Math.min(PIECE, x.size * width - begin) / width
  const part = unscoped(() => empty([count], x.dtype))
  native.sliceForward(x.handle, part.handle, Float64Array.of(x.size, begin / width, count))
  const reading = part.data()
  part.dispose()
  const values = await reading
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength)
}

function checkName(op: string, name: unknown): asserts name is string {
  if (typeof name !== 'string') throw typeError(`${op}: the names of tensors are strings. got ${show(name)}`)
  if (name === '__metadata__')
    throw rangeError(`${op}: no tensor can be called "__metadata__": the format keeps that name`)
  if (/\p{Surrogate}/u.test(name)) {
    throw rangeError(`${op}: the name ${show(name)} has half a character (a lone surrogate), which no file can hold`)
  }
}

function headerOf(
  op: string,
  tensors: readonly (readonly [string, Tensor])[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const members: string[] = []
  if (Object.keys(metadata).length > 0) members.push(`"__metadata__":${JSON.stringify(metadata)}`)
  let end = 0
  for (const [name, { dtype, shape, size }] of tensors) {
    const begin = end
    end += size * bytesPerElement[dtype]
    members.push(
      `${JSON.stringify(name)}:{"dtype":"${nameInFile[dtype]}","shape":[${shape.join(',')}],"data_offsets":[${begin},${end}]}`,
    )
  }
  const text = Buffer.from(`{${members.join(',')}}`)
  // So that the contents begin at a multiple of 8.
  const length = Math.ceil(text.length / 8) * 8
  if (length > 100_000_000) {
    throw rangeError(`${op}: the names and shapes take ${length} bytes, and the header of a file holds 100000000`)
  }
  const header = Buffer.alloc(8 + length, ' ')
  header.writeBigUInt64LE(BigInt(length))
  text.copy(header, 8)
  return header
}
