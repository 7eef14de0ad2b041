// A tensor: a shape over native memory, and the place in the graph that it came from.

import { rangeError, ShapeError, StreamError, show, typeError } from '../errors.js'
import { native } from '../native/index.js'
import { bytesPerElement, type DType, dtypeCode, type TypedArray } from './dtype.js'
import type { GraphNode } from './graph.js'
import { clearPacked, Packed, type Packing } from './packing.js'
import { currentScope } from './scope.js'
import { showShape, sizeOf } from './shape.js'

/** Nested arrays of numbers: one level for each axis. */
export type NestedArray = number | NestedArray[]

/**
 * @internal Native memory that one or more tensors share. Its contents change only through variables; `version`
 * counts the changes, so that a gradient rule notices when what it saved is no longer there.
 */
export class Storage {
  references = 1
  version = 0
  /** A gradient that is 0 already where the rectifier that it goes to will ask for it. */
  rectified = false
  private packed: Packed | undefined
  constructor(readonly handle: number) {}

  retain(): this {
    this.references++
    return this
  }

  release(): void {
    if (--this.references > 0) return
    this.packed?.clear()
    native.release(this.handle)
  }

  /** Says that the contents have changed. */
  touch(): void {
    this.version++
    this.packed?.clear()
  }

  /** The handle of the contents in the order that a kernel reads them, or 0: it then reads them as they stand. */
  packedFor(packing: Packing, words: Float64Array): number {
    this.packed ??= new Packed()
    return this.packed.of(this.handle, packing, words)
  }
}

/** @internal What a tensor keeps alive. Apart from the tensor, so that it can be let go after the tensor is gone. */
export class Life {
  constructor(
    public storage: Storage | undefined,
    public node: GraphNode | undefined,
  ) {}
  /** Whether the garbage collector ends it, if nobody else does. */
  watched = false

  end(): void {
    const { storage, node } = this
    this.storage = undefined
    this.node = undefined
    node?.release()
    storage?.release()
  }
}

/** The safety net for tensors that are neither disposed nor in a scope. */
const abandoned = new FinalizationRegistry<Life>((life) => life.end())

/**
 * An n-dimensional array of numbers in native memory. Made by {@link tensor}, {@link zeros} and every op; its
 * contents never change (those of a {@link Variable} do). Work on it is queued and done in order on other threads;
 * `data`, `array` and `item` wait for it without blocking the event loop.
 */
export class Tensor {
  readonly shape: readonly number[]
  readonly dtype: DType
  /** Number of elements. */
  readonly size: number
  /** @internal */
  readonly life: Life

  /** @internal */
  constructor(shape: readonly number[], dtype: DType, life: Life) {
    this.shape = shape
    this.dtype = dtype
    this.size = sizeOf(shape)
    this.life = life
  }

  /** @internal The native buffer. Throws when the tensor is disposed. */
  get handle(): number {
    const storage = this.life.storage
    if (storage === undefined) throw disposedError(this)
    return storage.handle
  }

  /** Whether `dispose` was called, or the tensor's scope has ended. */
  get disposed(): boolean {
    return this.life.storage === undefined
  }

  /** A copy of the elements, row by row (the last axis runs fastest). */
  async data(): Promise<TypedArray> {
    try {
      return await native.read(this.handle)
    } catch (error) {
      if (this.disposed && error instanceof TypeError) throw error
      throw error instanceof Error && !('code' in error && error.code === 'ERR_DISPOSED')
        ? new StreamError(error.message, { cause: error })
        : error
    }
  }

  /** The elements as nested arrays, one level for each axis; a number for shape `[]`. */
  async array(): Promise<NestedArray> {
    return nest(await this.data(), this.shape)
  }

  /** The only element. Throws a {@link ShapeError} when there are more or none. */
  async item(): Promise<number> {
    if (this.size !== 1) {
      throw new ShapeError(
        `item: the tensor has ${this.size} elements, not 1. shape ${showShape(this.shape)}. use data()`,
      )
    }
    return (await this.data())[0]!
  }

  /** Frees the memory now instead of when the garbage collector comes by. Calling it again does nothing. */
  dispose(): void {
    if (this.disposed) return
    if (this.life.watched) abandoned.unregister(this)
    this.life.end()
  }

  /** @internal Puts it under the safety net: from now on no scope owns it. */
  watch(): void {
    if (this.life.watched) return
    this.life.watched = true
    abandoned.register(this, this.life, this)
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  toString(): string {
    return `Tensor ${showShape(this.shape)} ${this.dtype}${this.disposed ? ' (disposed)' : ''}`
  }
}

function disposedError(tensor: Tensor): TypeError {
  return Object.assign(
    new TypeError(
      `the tensor of shape ${showShape(tensor.shape)} is disposed. return it from scope() to keep it, or dispose it later`,
    ),
    { code: 'ERR_DISPOSED' },
  )
}

function nest(data: TypedArray, shape: readonly number[]): NestedArray {
  let offset = 0
  const build = (axis: number): NestedArray =>
    axis === shape.length ? data[offset++]! : Array.from({ length: shape[axis]! }, () => build(axis + 1))
  return build(0)
}

/** @internal Wraps a fresh native buffer. */
export function wrap(handle: number, shape: readonly number[], dtype: DType): Tensor {
  return adopt(new Tensor(shape, dtype, new Life(new Storage(handle), undefined)))
}

/** @internal A second tensor over the same memory, with a shape of the same size. */
export function share(x: Tensor, shape: readonly number[]): Tensor {
  return adopt(alias(x, shape))
}

/**
 * @internal Like {@link share}, but neither a scope nor the garbage collector ends its life: whoever made it must
 * dispose it.
 */
export function alias(x: Tensor, shape: readonly number[] = x.shape): Tensor {
  const storage = x.life.storage
  if (storage === undefined) throw disposedError(x)
  return new Tensor(shape, x.dtype, new Life(storage.retain(), undefined))
}

/** @internal Puts a tensor into the current scope, or under the safety net if there is none. */
export function adopt<T extends Tensor>(x: T): T {
  const scope = currentScope()
  if (scope === undefined) x.watch()
  else scope.push(x)
  return x
}

/** @internal A tensor with unspecified contents, for a kernel to fill. */
export function empty(shape: readonly number[], dtype: DType): Tensor {
  return taken(() => native.allocate(dtypeCode[dtype], sizeOf(shape)), shape, dtype)
}

/** @internal Wraps the buffer that `take` gives. Where it gives 0, there is no memory: gives up packed weights, and takes again. */
export function taken(take: () => number, shape: readonly number[], dtype: DType): Tensor {
  let handle = take()
  if (handle === 0 && clearPacked()) handle = take()
  if (handle === 0) throw outOfMemory(shape, dtype)
  return wrap(handle, shape, dtype)
}

function outOfMemory(shape: readonly number[], dtype: DType): RangeError {
  const { bytes, limit } = native.memoryReport()
  const wanted = sizeOf(shape) * bytesPerElement[dtype]
  return rangeError(
    `no memory for a ${dtype} tensor of shape ${showShape(shape)}: it takes ${wanted} bytes, ${bytes} are in use and the limit is ${limit}. ` +
      'free tensors with scope() or dispose(), await now and then so that the garbage collector can, or raise FERROGRAD_MEMORY_LIMIT',
  )
}

/** @internal Throws unless `value` is a living tensor. `argument` is what the user calls it. */
export function checkTensor(op: string, argument: string, value: unknown): asserts value is Tensor {
  if (!(value instanceof Tensor)) {
    throw typeError(`${op}: ${argument} must be a Tensor. got ${show(value)}. make one with tensor(values)`)
  }
  if (value.life.storage === undefined) {
    throw Object.assign(
      new TypeError(
        `${op}: ${argument} is disposed (it had shape ${showShape(value.shape)}). return it from scope() to keep it, or dispose it later`,
      ),
      { code: 'ERR_DISPOSED' },
    )
  }
}
