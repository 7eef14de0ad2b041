// Writing a file whole or not at all.

import { constants } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { crc32 } from 'node:zlib'
import { fileError, typeError } from '../errors.js'
import { codeOf, type FileSystem, nodeFileSystem, type OpenFile, uninterrupted } from './file-system.js'
import { clearTemporaries, temporaryName } from './temporary-files.js'

/** Bytes that are handed to the system at a time. */
const PIECE = 8 << 20
/** Links that are followed before they are taken for a circle. */
const MOST_LINKS = 40

export interface ReplaceOptions {
  /** Read everything back and compare before the old file goes. Default false. */
  verify?: boolean
  fs?: FileSystem
}

const untouched = 'the file cannot be written, and what was there before is untouched'

/** Saves to one path, the latest of each: they happen in the order in which they were asked for. */
const running = new Map<string, Promise<void>>()

/**
 * Replaces the file at `path` with what `pieces` yields. Whatever happens, a crash of the machine included, the
 * path then holds the old contents or the new, whole: they are written into a temporary file in the same folder, flushed
 * to the disk, put in the place of the old file by a single renaming, and the folder is flushed too (Pillai et al. 2014).
 *
 * The mode of the old file is kept and a symbolic link followed. Temporary files of writers that died are removed. `op`
 * is what errors begin with.
 */
export function replaceFile(
  op: string,
  path: string,
  pieces: () => AsyncIterable<Uint8Array>,
  options: ReplaceOptions = {},
): Promise<void> {
  const before = running.get(path) ?? Promise.resolve()
  const work = before.catch(() => {}).then(() => replace(op, path, pieces, options))
  running.set(path, work)
  const forget = () => {
    if (running.get(path) === work) running.delete(path)
  }
  work.then(forget, forget)
  return work
}

async function replace(
  op: string,
  path: string,
  pieces: () => AsyncIterable<Uint8Array>,
  { verify = false, fs = nodeFileSystem }: ReplaceOptions,
): Promise<void> {
  const failed = (what: string) => (error: unknown) => {
    const code = codeOf(error)
    throw code === undefined || code.startsWith('ERR_') ? error : fileError(`${op}: ${what}`, error)
  }
  const { target, mode } = await findTarget(op, path, fs).catch(failed(untouched))
  const folder = dirname(target)
  await clearTemporaries(folder, fs)
  const temporary = join(folder, temporaryName(basename(target)))
  const file = await uninterrupted(() => fs.open(temporary, 'wx+', mode === undefined ? 0o666 : 0o600)).catch(
    failed(untouched),
  )
  try {
    try {
      const written = await fill(op, file, pieces())
      if (mode !== undefined) await file.chmod(mode)
      await uninterrupted(() => file.sync())
      if (verify) await compare(op, file, written)
    } finally {
      await file.close()
    }
    await uninterrupted(() => fs.rename(temporary, target))
  } catch (error) {
    await fs.unlink(temporary).catch(() => {})
    failed(untouched)(error)
  }
  await syncFolder(folder, fs).catch(failed('the file is written, but its name may not outlive a power cut'))
}

/** The file to replace, behind all links, and its mode if it is there. */
async function findTarget(op: string, path: string, fs: FileSystem): Promise<{ target: string; mode?: number }> {
  let target = path
  for (let links = 0; ; links++) {
    target = join(await fs.realpath(dirname(target)), basename(target))
    const link = await fs.readlink(target).catch(() => undefined)
    if (link === undefined) break
    if (links === MOST_LINKS) throw Object.assign(new Error('too many links'), { code: 'ELOOP' })
    target = resolve(dirname(target), link)
  }
  const found = await fs.stat(target).catch((error) => {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  })
  if (found === undefined) return { target }
  if (!found.isFile()) throw typeError(`${op}: there is something that is not a file, and it is not replaced`)
  // Renaming would replace also what may not be written.
  await fs.access(target, constants.W_OK)
  return { target, mode: found.mode & 0o7777 }
}

/** What has been written. */
interface Written {
  readonly bytes: number
  readonly checksum: number
}

async function fill(op: string, file: OpenFile, pieces: AsyncIterable<Uint8Array>): Promise<Written> {
  let bytes = 0
  let checksum = 0
  for await (const piece of pieces) {
    for (let done = 0; done < piece.length; ) {
      const length = Math.min(PIECE, piece.length - done)
      const { bytesWritten } = await uninterrupted(() => file.write(piece, done, length))
      if (bytesWritten === 0) throw fileError(`${op}: ${untouched}`, new Error('the system took no bytes'))
      checksum = crc32(piece.subarray(done, done + bytesWritten), checksum)
      done += bytesWritten
    }
    bytes += piece.length
  }
  return { bytes, checksum }
}

/** Throws unless the file holds what was written. */
async function compare(op: string, file: OpenFile, { bytes, checksum }: Written): Promise<void> {
  const buffer = new Uint8Array(Math.min(PIECE, bytes))
  let [found, position] = [0, 0]
  while (position < bytes) {
    const { bytesRead } = await uninterrupted(() => file.read(buffer, 0, buffer.length, position))
    if (bytesRead === 0) break
    found = crc32(buffer.subarray(0, bytesRead), found)
    position += bytesRead
  }
  if (position !== bytes || found !== checksum) {
    throw fileError(`${op}: ${untouched}`, new Error('what was written reads back differently'))
  }
}

async function syncFolder(folder: string, fs: FileSystem): Promise<void> {
  // Windows cannot open folders, and flushes names by itself.
  if (process.platform === 'win32') return
  const handle = await uninterrupted(() => fs.open(folder, 'r'))
  try {
    await uninterrupted(() => handle.sync())
  } catch (error) {
    // Some network file systems know no such thing.
    if (!['EINVAL', 'ENOTSUP', 'ENOSYS', 'EBADF'].includes(codeOf(error) ?? '')) throw error
  } finally {
    await handle.close()
  }
}
