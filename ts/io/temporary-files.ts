// Temporary files beside the file that is written: their names, and clearing away those of writers that died.

import { createHash, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { FileSystem } from './file-system.js'
import { isAlive, thisWriter } from './writer-identity.js'

/** Files of which it cannot be known whether their writer lives are left alone for a day after their last change. */
const DOUBTFUL_MS = 24 * 3600 * 1000
const pattern = /^\..+\.([0-9a-f]{8})-(\d{1,10})-(\d{0,20})-[0-9a-f]{8}\.ferrograd-tmp$/s

/** A name for a temporary file of `base`, different every time. */
export function temporaryName(base: string): string {
  const { machine, pid, began } = thisWriter()
  // A name has at most 255 bytes.
  const short = Buffer.byteLength(base) <= 150 ? base : createHash('sha256').update(base).digest('hex').slice(0, 16)
  return `.${short}.${machine}-${pid}-${began}-${randomBytes(4).toString('hex')}.ferrograd-tmp`
}

/**
 * @internal Removes the temporary files in `folder` whose writers died before they were done. One that works on is never
 * disturbed: it is known by its process, or by its file's age where that tells nothing. What cannot be removed stays.
 */
export async function clearTemporaries(folder: string, fs: FileSystem): Promise<void> {
  const names = await fs.readdir(folder).catch(() => [])
  for (const name of names) {
    const match = pattern.exec(name)
    if (match === null) continue
    const alive = isAlive({ machine: match[1]!, pid: Number(match[2]), began: match[3]! })
    if (alive === true) continue
    const path = join(folder, name)
    try {
      if (alive === undefined && Date.now() - (await fs.stat(path)).mtimeMs < DOUBTFUL_MS) continue
      await fs.unlink(path)
    } catch {
      // Somebody else was quicker, or it is not ours to remove.
    }
  }
}
