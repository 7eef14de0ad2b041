// A file system that fails when it is told to.

import * as promises from 'node:fs/promises'
import type { FileSystem, OpenFile } from '../../dist/io/file-system.js'

/** One call: 'write', 'rename', or for the folder 'folder open', 'folder sync', 'folder close'. */
export type Call = string

/**
 * The real file system, which notes its calls and, before the one that `fails` picks, throws an error with the code that it
 * returns. `shorten` may make a write write less.
 */
export function failingFileSystem(
  fails: (call: Call, count: number) => string | undefined = () => undefined,
  shorten: (length: number) => number = (length) => length,
): { fs: FileSystem; calls: Call[] } {
  const calls: Call[] = []
  const before = (call: Call) => {
    calls.push(call)
    const code = fails(call, calls.filter((other) => other === call).length)
    if (code !== undefined) throw Object.assign(new Error(`${code}: for a test`), { code })
  }
  const open = async (path: string, flags: string, mode?: number): Promise<OpenFile> => {
    const prefix = flags === 'r' ? 'folder ' : ''
    before(`${prefix}open`)
    const handle = await promises.open(path, flags, mode)
    return {
      async write(buffer, offset, length) {
        before('write')
        const shorter = shorten(length)
        return shorter === 0 ? { bytesWritten: 0 } : handle.write(buffer, offset, shorter)
      },
      async read(buffer, offset, length, position) {
        before('read')
        return handle.read(buffer, offset, length, position)
      },
      async chmod(mode) {
        before('chmod')
        await handle.chmod(mode)
      },
      async sync() {
        before(`${prefix}sync`)
        await handle.sync()
      },
      async close() {
        await handle.close()
        before(`${prefix}close`)
      },
    }
  }
  const noting =
    <A extends unknown[], R>(call: Call, work: (...values: A) => Promise<R>) =>
    async (...values: A) => {
      before(call)
      return work(...values)
    }
  const fs = {
    open,
    rename: noting('rename', promises.rename),
    unlink: promises.unlink,
    stat: noting('stat', (path: string) => promises.stat(path)),
    access: noting('access', promises.access),
    realpath: noting('realpath', (path: string) => promises.realpath(path)),
    readlink: (path: string) => promises.readlink(path),
    readdir: (path: string) => promises.readdir(path),
  } as FileSystem
  return { fs, calls }
}
