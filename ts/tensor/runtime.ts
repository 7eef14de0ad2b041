// Memory and threads, as users see them.

import { rangeError, show } from '../errors.js'
import { native } from '../native/index.js'
import { packedCount } from './packing.js'

/**
 * Live tensors, their bytes, and the bytes kept for tensors to come, of this thread. The bytes include the packed copies of
 * weights that inference makes, until the weights change or memory is short.
 */
export function memory(): { tensors: number; bytes: number; poolBytes: number } {
  const { buffers, bytes, poolBytes } = native.memoryReport()
  return { tensors: buffers - packedCount(), bytes, poolBytes }
}

/** How many threads compute. Defaults to the processors available, or to the environment variable `FERROGRAD_THREADS`. */
export function threads(): number {
  return native.threadCount()
}

/** Uses `n` threads from the next op on. Results do not depend on it. */
export function setThreads(n: number): void {
  if (!Number.isInteger(n) || n < 1 || n > 1024) {
    throw rangeError(`setThreads: expects a whole number from 1 to 1024. got ${show(n)}`)
  }
  native.setThreadCount(n)
}
