// The files with the weights of a tf.js model, seen as one row of bytes.

import { type FileHandle, open, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { FormatError, fileError, show } from '../errors.js'
import { readAll } from '../io/read-bytes.js'

interface Shard {
  readonly path: string
  readonly size: number
}

/** The shards of one group of weights. */
export class Shards {
  private constructor(
    private readonly op: string,
    private readonly shards: readonly Shard[],
    readonly size: number,
  ) {}

  /** Looks at the files that `paths` name in `folder`, and reads none of them. */
  static async find(op: string, folder: string, paths: readonly unknown[]): Promise<Shards> {
    const shards: Shard[] = []
    for (const name of paths) {
      const path = resolve(folder, checkShardPath(op, name))
      try {
        const found = await stat(path)
        if (!found.isFile()) throw new FormatError(`${op}: the shard ${show(name)} is not a file`)
        shards.push({ path, size: found.size })
      } catch (error) {
        throw error instanceof FormatError ? error : fileError(`${op}: the shard ${show(name)} cannot be read`, error)
      }
    }
    const size = shards.reduce((sum, shard) => sum + shard.size, 0)
    return new Shards(op, shards, size)
  }

  /** The bytes from `begin` up to `end`, which may lie in several files. */
  async read(begin: number, end: number): Promise<Buffer> {
    const parts: Buffer[] = []
    let start = 0
    for (const { path, size } of this.shards) {
      const [from, to] = [Math.max(begin - start, 0), Math.min(end - start, size)]
      if (from < to) parts.push(await this.readFile(path, from, to))
      start += size
    }
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
  }

  private async readFile(path: string, from: number, to: number): Promise<Buffer> {
    let handle: FileHandle | undefined
    try {
      handle = await open(path, 'r')
    } catch (error) {
      throw fileError(`${this.op}: the shard ${show(path)} cannot be read`, error)
    }
    try {
      return await readAll(this.op, handle, from, to - from)
    } finally {
      await handle.close()
    }
  }
}

/** A path that stays inside the folder, on every system. */
function checkShardPath(op: string, path: unknown): string {
  const inside =
    typeof path === 'string' &&
    path !== '' &&
    !/[\\:\0]/.test(path) &&
    path.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
  if (inside) return path as string
  throw new FormatError(
    `${op}: paths of shards must be names of files in the folder of the model, or below it, without "..", drives and URLs. got ${show(path)}`,
  )
}
