// One seed for everything random.

import { AsyncLocalStorage } from 'node:async_hooks'
import { rangeError, show } from '../errors.js'

/** Where a sequence of seeds stands. */
interface Sequence {
  seeded: number
  drawn: number
}

const ofThread: Sequence = { seeded: Math.floor(Math.random() * 2 ** 32), drawn: 0 }
const ofCall = new AsyncLocalStorage<Sequence>()

const current = (): Sequence => ofCall.getStore() ?? ofThread

/**
 * Seeds initializers, dropout and shuffling of this thread: the same seed gives the same numbers, bit for bit. A
 * `seed` option given to one of them stands on its own. Without a seed every run differs.
 */
export function setSeed(n: number): void {
  Object.assign(current(), { seeded: checkSeed('setSeed', n), drawn: 0 })
}

/**
 * @internal Runs `fn`, and whatever it awaits, with a sequence of seeds of its own, as after `setSeed(seed)`. The
 * caller's sequence stays where it is, and nothing that runs in between disturbs this one.
 */
export function withSeed<T>(seed: number, fn: () => T): T {
  return ofCall.run({ seeded: seed, drawn: 0 }, fn)
}

/** @internal The next seed of the sequence that `setSeed` started: a whole number below 2^53. */
export function nextSeed(): number {
  const sequence = current()
  return hash(sequence.seeded, ++sequence.drawn)
}

/** @internal How far the sequence of `setSeed` has come. */
export interface SeedState {
  readonly seed: number
  readonly drawn: number
}

/** @internal */
export function seedState(): SeedState {
  const { seeded, drawn } = current()
  return { seed: seeded, drawn }
}

/** @internal Goes on from where a sequence was. */
export function restoreSeed(state: SeedState): void {
  Object.assign(current(), { seeded: state.seed, drawn: state.drawn })
}

/** @internal Throws unless `seed` is a whole number from 0 to 2^53 - 1. */
export function checkSeed(op: string, seed: unknown): number {
  if (typeof seed !== 'number' || !Number.isSafeInteger(seed) || seed < 0) {
    throw rangeError(`${op}: seed must be a whole number from 0 to 2^53 - 1. got ${show(seed)}`)
  }
  return seed
}

/** @internal Another seed, of the many that one seed stands for. */
export function mixSeed(seed: number, counter: number): number {
  return hash(seed, counter)
}

/** 53 well-mixed bits from a seed and a counter. */
function hash(seed: number, counter: number): number {
  const low = finalize(seed % 2 ** 32, counter)
  const high = finalize(Math.floor(seed / 2 ** 32) ^ low, Math.floor(counter / 2 ** 32) + 0x9e3779b9)
  return (high >>> 11) * 2 ** 32 + finalize(low, high)
}

/** Two numbers of 32 bits mixed into one (the finalizer of MurmurHash3, Appleby 2011). */
function finalize(a: number, b: number): number {
  let h = (a ^ Math.imul(b, 0x9e3779b1)) >>> 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** @internal A small generator for choices made in JavaScript, such as the order of a shuffle. */
export class Random {
  private drawn = 0
  constructor(private readonly seed: number) {}

  /** A number from 0 up to but not including 1. */
  next(): number {
    return hash(this.seed, ++this.drawn) / 2 ** 53
  }

  /** The numbers from 0 to `count` - 1 in random order (Fisher and Yates 1938). */
  permutation(count: number): Int32Array {
    const order = Int32Array.from({ length: count }, (_, i) => i)
    for (let i = count - 1; i > 0; i--) {
      const j = Math.floor(this.next() * (i + 1))
      const swap = order[i]!
      order[i] = order[j]!
      order[j] = swap
    }
    return order
  }
}
