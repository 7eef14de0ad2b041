// Samples that come one after the other, more of them than memory holds.

import { DTypeError, ShapeError, show, typeError } from '../errors.js'
import { dtypeOf, flatten, tensor } from '../tensor/create.js'
import type { DType, TypedArray } from '../tensor/dtype.js'
import { unscoped } from '../tensor/scope.js'
import { Random } from '../tensor/seed.js'
import { sameShape, showShape, sizeOf } from '../tensor/shape.js'
import { checkTensor, type NestedArray, Tensor } from '../tensor/tensor.js'
import { checkStatisticsFit } from './channel-statistics.js'
import type { NumberedBatch, Plan, SampleSource } from './sample-source.js'

/** What one sample or several are made of. */
export type StreamValues = Tensor | TypedArray | NestedArray

/** One sample, or a batch of any size. */
export type StreamItem =
  | { x: StreamValues; y: StreamValues }
  | { image: StreamValues; label: StreamValues }
  | { xs: StreamValues; ys: StreamValues }
  | { images: StreamValues; labels: StreamValues }

/**
 * Samples one after the other: something that can be iterated, waiting or not, or a function that makes it anew for each
 * pass, such as a generator function.
 */
export type SampleStream =
  | Iterable<StreamItem>
  | AsyncIterable<StreamItem>
  | (() => Iterable<StreamItem> | AsyncIterable<StreamItem>)

export interface StreamOptions {
  /** Samples that are held to draw from when shuffling. */
  shuffleBuffer: number
  labelDType: 'int32' | 'float32' | undefined
}

/** @internal Whether something can be gone through sample by sample. */
export function isStream(source: unknown): source is SampleStream {
  if (typeof source === 'function') return true
  return typeof source === 'object' && source !== null && (Symbol.asyncIterator in source || Symbol.iterator in source)
}

/** @internal */
export function streamSource(op: string, source: SampleStream, options: StreamOptions): SampleSource {
  return {
    count: undefined,
    classes: undefined,
    waits: true,
    async *open(plan) {
      const rows =
        plan.seed === undefined ? read(op, source) : shuffled(read(op, source), options.shuffleBuffer, plan.seed)
      const stack = new Stack(op, options.labelDType, plan)
      let number = 0
      for await (const row of rows) {
        stack.add(row)
        if (stack.size < plan.size) continue
        // What comes before the first batch is gone through all the same: the order depends on it.
        const batch = stack.take(number++ >= plan.first)
        if (batch !== undefined) yield batch
      }
      if (stack.size > 0 && !plan.dropRemainder) {
        const batch = stack.take(number >= plan.first)
        if (batch !== undefined) yield batch
      }
    },
  }
}

/** The values of one sample's input or label. */
interface Value {
  values: ArrayLike<number>
  shape: readonly number[]
  /** Undefined for plain numbers. */
  dtype: DType | undefined
}

interface Row {
  number: number
  x: Value
  y: Value
}

async function* read(op: string, source: SampleStream): AsyncGenerator<Row, void, undefined> {
  let number = 0
  for await (const item of typeof source === 'function' ? source() : source) {
    const { one, x, y } = partsOf(op, item, number)
    const [xs, ys] = [await numbersOf(op, x, number), await numbersOf(op, y, number)]
    if (one) yield { number: number++, x: xs, y: ys }
    else for (const row of split(op, xs, ys, number)) yield { number: number++, ...row }
  }
}

function partsOf(op: string, item: StreamItem, number: number): { one: boolean; x: StreamValues; y: StreamValues } {
  if (typeof item === 'object' && item !== null) {
    if ('x' in item && 'y' in item) return { one: true, x: item.x, y: item.y }
    if ('image' in item && 'label' in item) return { one: true, x: item.image, y: item.label }
    if ('xs' in item && 'ys' in item) return { one: false, x: item.xs, y: item.ys }
    if ('images' in item && 'labels' in item) return { one: false, x: item.images, y: item.labels }
  }
  const found = typeof item === 'object' && item !== null ? `{ ${Object.keys(item).join(', ')} }` : show(item)
  throw typeError(
    `${op}: a stream gives samples, { x, y } or { image, label }, or batches of them, { xs, ys } or { images, labels }. got ${found} (after ${number} samples)`,
  )
}

async function numbersOf(op: string, value: StreamValues, number: number): Promise<Value> {
  if (value instanceof Tensor) {
    checkTensor(op, `sample ${number}`, value)
    return { values: await value.data(), shape: value.shape, dtype: value.dtype }
  }
  const dtype = dtypeOf(value)
  if (dtype !== undefined) {
    const { length } = value as TypedArray
    // The stream's owner may use the array again for what comes next.
    return { values: (value as TypedArray).slice(), shape: [length], dtype }
  }
  if (typeof value !== 'number' && !Array.isArray(value)) {
    throw typeError(
      `${op}: sample ${number} must be numbers: a Tensor, a typed array, nested arrays or a number. got ${show(value)}`,
    )
  }
  const values: number[] = []
  const shape = flatten(value, values)
  return { values, shape, dtype: undefined }
}

function* split(op: string, xs: Value, ys: Value, number: number): Generator<{ x: Value; y: Value }> {
  const count = ys.shape[0]
  // A typed array has no shape: it is as many samples as there are labels.
  const each = xs.shape.length === 1 && count !== undefined && count > 0 ? xs.values.length / count : undefined
  const shape = each !== undefined && Number.isInteger(each) && each > 1 ? [count!, each] : xs.shape
  if (count === undefined || shape[0] !== count) {
    throw new ShapeError(
      `${op}: a batch of the stream has ${shape[0] ?? 'no'} samples and ${count ?? 'no'} labels. inputs ${showShape(xs.shape)}, labels ${showShape(ys.shape)} (after ${number} samples)`,
    )
  }
  for (let i = 0; i < count; i++) yield { x: part({ ...xs, shape }, i), y: part(ys, i) }
}

function part({ values, shape, dtype }: Value, i: number): Value {
  const inner = shape.slice(1)
  const size = sizeOf(inner)
  const [from, to] = [i * size, (i + 1) * size]
  const mine = ArrayBuffer.isView(values)
    ? (values as TypedArray).slice(from, to)
    : (values as number[]).slice(from, to)
  return { values: mine, shape: inner, dtype }
}

/** Draws each row from a buffer of those to come: near to a full shuffle where the buffer is large. */
async function* shuffled(
  rows: AsyncIterable<Row>,
  capacity: number,
  seed: number,
): AsyncGenerator<Row, void, undefined> {
  const random = new Random(seed)
  const held: Row[] = []
  const draw = (replacement: Row | undefined): Row => {
    const at = Math.floor(random.next() * held.length)
    const drawn = held[at]!
    held[at] = replacement ?? held[held.length - 1]!
    if (replacement === undefined) held.pop()
    return drawn
  }
  for await (const row of rows) {
    if (held.length < capacity) held.push(row)
    else yield draw(row)
  }
  while (held.length > 0) yield draw(undefined)
}

/** Rows that become a batch. What the first row is, all others must be. */
class Stack {
  private rows: Row[] = []
  private first: Row | undefined

  constructor(
    private readonly op: string,
    private labelDType: DType | undefined,
    private readonly plan: Plan,
  ) {}

  get size(): number {
    return this.rows.length
  }

  add(row: Row): void {
    if (this.first === undefined) {
      const { normalize } = this.plan
      if (normalize !== undefined) {
        checkStatisticsFit(this.op, 'x', normalize, [1, ...row.x.shape], row.x.dtype ?? 'float32')
      }
      this.first = { ...row, x: { ...row.x, values: [] }, y: { ...row.y, values: [] } }
    }
    for (const [what, name] of [
      ['x', 'input'],
      ['y', 'label'],
    ] as const) {
      const [mine, theirs] = [row[what], this.first[what]]
      if (!sameShape(mine.shape, theirs.shape)) {
        throw new ShapeError(
          `${this.op}: the ${name} of sample ${row.number} has shape ${showShape(mine.shape)}, but that of sample ${this.first.number} has ${showShape(theirs.shape)}. all samples of a stream have one shape`,
        )
      }
      if (mine.dtype !== theirs.dtype) {
        throw new DTypeError(
          `${this.op}: the ${name} of sample ${row.number} has dtype ${mine.dtype ?? 'number'}, but that of sample ${this.first.number} has ${theirs.dtype ?? 'number'}. all samples of a stream have one dtype`,
        )
      }
    }
    this.rows.push(row)
  }

  /** The batch, unless it is not wanted; the stack is empty afterwards. */
  take(wanted: boolean): NumberedBatch | undefined {
    const rows = this.rows
    this.rows = []
    const { x, y } = this.first!
    const labelDType = this.dtypeOfLabels(rows)
    if (!wanted) return undefined
    return {
      xs: stacked(
        rows.map((row) => row.x.values),
        x.shape,
        x.dtype ?? 'float32',
      ),
      ys: stacked(
        rows.map((row) => row.y.values),
        y.shape,
        labelDType,
      ),
      samples: Int32Array.from(rows, (row) => row.number),
      finished: false,
    }
  }

  /** Plain labels are int32 if those of the first batch are single whole numbers. */
  private dtypeOfLabels(rows: readonly Row[]): DType {
    const { dtype, shape } = this.first!.y
    if (dtype !== undefined) return dtype
    const broken = rows.find((row) => !Number.isInteger(row.y.values[0]))
    this.labelDType ??= shape.length === 0 && broken === undefined ? 'int32' : 'float32'
    if (this.labelDType === 'int32' && broken !== undefined) {
      throw new DTypeError(
        `${this.op}: label ${broken.y.values[0]} of sample ${broken.number} is no whole number, but int32 was chosen for labels, which begin as whole numbers. pass labelDType: 'float32' if they are values`,
      )
    }
    return this.labelDType
  }
}

function stacked(parts: readonly ArrayLike<number>[], shape: readonly number[], dtype: DType): Tensor {
  const size = sizeOf(shape)
  const make = { uint8: Uint8Array, int32: Int32Array, float32: Float32Array, float64: Float64Array }[dtype]
  const values = new make(parts.length * size)
  for (const [i, part] of parts.entries()) values.set(part, i * size)
  return unscoped(() => tensor(values, { shape: [parts.length, ...shape] }))
}
