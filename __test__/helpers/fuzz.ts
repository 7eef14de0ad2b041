// Files with something wrong in them, by the million.

import { FormatError } from 'ferrograd'

/** A parser to try, with the files to try it on. */
export interface Fuzzed {
  /** A file made of the random numbers that `next` gives. */
  mutated(next: () => number): Buffer
  /** Reads a file, and throws a FormatError if it will not. */
  read(bytes: Buffer): void | Promise<void>
}

/** A small generator of numbers below 2^32 (Marsaglia 2003). */
export function generator(seed: number): () => number {
  let state = (seed * 2654435761 + 88172645) >>> 0 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state
  }
}

export interface FuzzResult {
  accepted: number
  refused: number
  /** Megabytes of memory that the process had at most. */
  peak: number
}

/** Reads `count` mutated files. Throws, with the bytes, when one is neither read nor refused with a FormatError. */
export async function fuzz({
  parser,
  count,
  seed,
  progress = () => {},
}: {
  parser: Fuzzed
  count: number
  seed: number
  progress?: (done: number) => void
}): Promise<FuzzResult> {
  const next = generator(seed)
  const result = { accepted: 0, refused: 0, peak: 0 }
  for (let i = 0; i < count; i++) {
    const bytes = parser.mutated(next)
    const began = performance.now()
    try {
      await parser.read(bytes)
      result.accepted++
    } catch (error) {
      if (!(error instanceof FormatError)) {
        throw new Error(`file ${i} of seed ${seed} gave ${error}: ${bytes.toString('base64')}`, { cause: error })
      }
      result.refused++
    }
    if (performance.now() - began > 10_000) throw new Error(`file ${i} of seed ${seed} took ten seconds`)
    if (i % 10_000 === 0) {
      result.peak = Math.max(result.peak, Math.round(process.memoryUsage.rss() / 2 ** 20))
      progress(i)
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  return result
}
