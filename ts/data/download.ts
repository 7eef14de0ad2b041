// Files of record, from the cache or from where they are published.

import { mkdir, rename, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { fileError } from '../errors.js'
import { DownloadBar } from './download-bar.js'
import { claimPart, releasePart } from './part-file.js'
import { type RemoteFile, whyNot } from './remote-file.js'
import { TransferError, transfer } from './transfer.js'

export interface DownloadRequest {
  /** Stands in errors. */
  op: string
  /** The folder that keeps the file. */
  folder: string
  /** Addresses of folders that have the file, in the order in which they are asked. */
  mirrors: readonly string[]
  offline: boolean
  progress: boolean
  signal: AbortSignal | undefined
}

/**
 * The path of a file of record, fetched if the cache has not got it. A file gets its name only after its
 * checksum was found right, and the one in the cache is looked at again each time: what has a name is whole.
 */
export async function cachedFile(request: DownloadRequest, file: RemoteFile): Promise<string> {
  const { op, folder, offline, signal } = request
  signal?.throwIfAborted()
  const path = join(folder, file.name)
  let wrong: string | undefined
  try {
    wrong = await whyNot(file, path, signal)
    if (wrong === undefined) return path
  } catch (error) {
    signal?.throwIfAborted()
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      throw fileError(`${op}: ${path} cannot be read`, error)
    }
  }
  if (offline) {
    const why = wrong === undefined ? `${path} is not there` : `${path} is not the file of record: ${wrong}`
    throw missing(
      'ERR_OFFLINE',
      `${op}: ${why}, and offline: true forbids to fetch it. call it once with a connection, or put ${file.name} there (${file.algorithm} ${file.checksum})`,
    )
  }
  await download(request, file, path)
  return path
}

function missing(code: string, message: string): Error {
  return Object.assign(new Error(message), { code })
}

async function download(request: DownloadRequest, file: RemoteFile, path: string): Promise<void> {
  const { op, folder, mirrors, signal } = request
  let part: string
  try {
    await mkdir(folder, { recursive: true })
    part = await claimPart(folder, file.name)
  } catch (error) {
    throw fileError(
      `${op}: the cache folder ${folder} cannot be used. choose another with cacheFolder or FERROGRAD_CACHE`,
      error,
    )
  }
  const bar = await DownloadBar.open(file, request.progress)
  const reasons: string[] = []
  let keep = true
  try {
    for (const mirror of mirrors) {
      const url = `${mirror.replace(/\/*$/, '/')}${file.name}`
      const reason = await fetchWhole(url, part, file, { signal, onProgress: (bytes) => bar.update(bytes) })
      if (reason === undefined) {
        await nameIt(part, path, file)
        keep = false
        return
      }
      reasons.push(`${url}: ${reason}`)
    }
  } catch (error) {
    if (signal?.aborted) throw error
    throw fileError(`${op}: ${path} cannot be written`, error)
  } finally {
    bar.close()
    await releasePart(part, keep)
  }
  throw missing(
    'ERR_DOWNLOAD',
    `${op}: ${file.name} could not be fetched. ${reasons.join('. ')}. check the connection, name other addresses with mirrors, or put the file into ${folder} yourself (${file.algorithm} ${file.checksum})`,
  )
}

/** Undefined when `part` holds the file of record afterwards; else why not. */
async function fetchWhole(
  url: string,
  part: string,
  file: RemoteFile,
  options: Parameters<typeof transfer>[3],
): Promise<string | undefined> {
  // What was there before may be of another file: then there is a second try from the first byte on.
  for (let retry = (await sizeOf(part)) > 0; ; retry = false) {
    let reason: string | undefined
    try {
      await transfer(url, part, file, options)
      reason = await whyNot(file, part, options.signal)
      if (reason === undefined) return undefined
    } catch (error) {
      if (!(error instanceof TransferError)) throw error
      reason = error.message
      if (!error.restart) return reason
    }
    await truncate(part, 0)
    if (!retry) return reason
  }
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  )
}

async function nameIt(part: string, path: string, file: RemoteFile): Promise<void> {
  try {
    await rename(part, path)
  } catch (error) {
    // Where a file that is being read cannot be replaced, another process has just put the same one there.
    if ((await whyNot(file, path).catch(() => '')) !== undefined) throw error
  }
}
