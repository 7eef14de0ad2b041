// Files that are not whole yet: each has one owner, and an owner that is gone leaves them to the next.

import { randomBytes } from 'node:crypto'
import { readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { threadId } from 'node:worker_threads'

/** Those that this thread is writing. */
const writing = new Set<string>()

/**
 * @internal A path for the unfinished file `name`, which nobody else writes. What an earlier download left is taken over
 * with what it holds. The owner stands in the name, and a rename is atomic: two processes never write one file.
 */
export async function claimPart(folder: string, name: string): Promise<string> {
  const mine = join(folder, `${name}.${process.pid}-${threadId}-${randomBytes(4).toString('hex')}.part`)
  writing.add(mine)
  for (const left of await abandoned(folder, name)) {
    try {
      await rename(left, mine)
      return mine
    } catch {
      // Somebody else was quicker.
    }
  }
  return mine
}

/** @internal Says that the file is no longer written, and removes it unless it is to be gone on with. */
export async function releasePart(path: string, keep: boolean): Promise<void> {
  if (!keep) await rm(path, { force: true })
  writing.delete(path)
}

/** Unfinished files whose owner is gone, the longest first. */
async function abandoned(folder: string, name: string): Promise<string[]> {
  const found: { path: string; size: number }[] = []
  for (const entry of await readdir(folder)) {
    const match = entry.startsWith(`${name}.`) && /^(\d+)-(\d+)-[0-9a-f]{8}\.part$/.exec(entry.slice(name.length + 1))
    if (!match) continue
    const path = join(folder, entry)
    const ours = Number(match[1]) === process.pid
    if (ours ? Number(match[2]) !== threadId || writing.has(path) : isAlive(Number(match[1]))) continue
    const size = await stat(path).then(
      (stats) => stats.size,
      () => -1,
    )
    if (size >= 0) found.push({ path, size })
  }
  return found.sort((a, b) => b.size - a.size).map(({ path }) => path)
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
