// Weights in the order that kernels read them, kept for as long as their contents stay the same.

import { native } from '../native/index.js'
import { dtypeCode } from './dtype.js'

/** @internal A way to pack a weight: what it is that `words`, the sizes of an op, ask for. */
export interface Packing {
  /** Whether two uses of a weight take the same packed form. */
  same(words: Float64Array, before: Float64Array): boolean
  /** Numbers of the packed form; 0 where the weight is read as it stands. */
  size(words: Float64Array): number
  pack(weight: number, packed: number, words: Float64Array): void
}

/** All that is kept, so that it can be given up when memory is short. */
const kept = new Set<Packed>()

/**
 * @internal What is known of one weight: how it was used last, and from the second such use on the packed form. What is
 * used but once, such as a weight between two steps of training, is not kept twice.
 */
export class Packed {
  private packing: Packing | undefined
  private words: Float64Array | undefined
  private handle = 0

  /** The packed form of the buffer `weight`, or 0 where there is none. */
  of(weight: number, packing: Packing, words: Float64Array): number {
    if (packing !== this.packing || !packing.same(words, this.words!)) {
      this.clear()
      this.packing = packing
      this.words = words
    } else if (this.handle === 0) {
      const size = packing.size(words)
      if (size > 0) this.handle = native.allocate(dtypeCode.float32, size)
      if (this.handle !== 0) {
        kept.add(this)
        packing.pack(weight, this.handle, words)
      }
    }
    return this.handle
  }

  /** Forgets it: the contents of the weight change, or it is gone. */
  clear(): void {
    if (this.handle !== 0) {
      native.release(this.handle)
      kept.delete(this)
    }
    this.handle = 0
    this.packing = undefined
    this.words = undefined
  }
}

/** @internal How many packed weights there are. */
export function packedCount(): number {
  return kept.size
}

/** @internal Gives up all packed weights; says whether there were any. They come back when they are used again. */
export function clearPacked(): boolean {
  const any = kept.size > 0
  for (const packed of kept) packed.clear()
  return any
}
