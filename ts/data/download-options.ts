// The options of datasets that are published as files.

import { rangeError, show, typeError } from '../errors.js'
import { checkBoolean, checkOptions } from '../initializers/options.js'
import { cacheFolderOf } from './cache-folder.js'
import type { DownloadRequest } from './download.js'

export interface DownloadOptions {
  /** A folder that has the dataset's files, unpacked or as they are published. Nothing is fetched then. */
  folder?: string
  /**
   * Where fetched files are kept. Default: the environment variable `FERROGRAD_CACHE`, else the platform's place for such
   * files (`~/.cache/ferrograd` on Linux).
   */
  cacheFolder?: string
  /** Take what the cache has and fetch nothing. Default false. */
  offline?: boolean
  /** Addresses of folders to fetch from, in this order, in place of the published ones. */
  mirrors?: readonly string[]
  /** Show a bar while fetching, on a terminal. Default true. */
  progress?: boolean
  /** Ends the wait when it aborts. What was fetched by then is gone on with the next time. */
  signal?: AbortSignal
}

/** @internal Either a folder of the user's, or what is needed to fetch. */
export type FileOrigin = { folder: string; signal: AbortSignal | undefined } | DownloadRequest

/** @internal Checks these options; `others` are known to the caller. */
export async function checkDownload(
  op: string,
  dataset: string,
  mirrors: readonly string[],
  options: DownloadOptions,
  others: readonly string[] = [],
): Promise<FileOrigin> {
  checkOptions(op, options, ['folder', 'cacheFolder', 'offline', 'mirrors', 'progress', 'signal', ...others])
  const { folder, cacheFolder, offline = false, progress = true, signal } = options
  for (const [name, path] of Object.entries({ folder, cacheFolder })) checkPath(op, name, path)
  checkBoolean(op, 'offline', offline)
  checkBoolean(op, 'progress', progress)
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw typeError(`${op}: signal must be an AbortSignal. got ${show(signal)}`)
  }
  if (folder !== undefined) {
    for (const name of ['cacheFolder', 'offline', 'mirrors', 'progress'] as const) {
      if (options[name] !== undefined)
        throw typeError(`${op}: ${name} has no effect with folder, from which nothing is fetched`)
    }
    return { folder, signal }
  }
  const chosen = checkMirrors(op, options.mirrors) ?? mirrors
  return { op, folder: await cacheFolderOf(dataset, cacheFolder), mirrors: chosen, offline, progress, signal }
}

function checkPath(op: string, name: string, path: unknown): void {
  if (path === undefined) return
  if (typeof path !== 'string') throw typeError(`${op}: ${name} must be a path. got ${show(path)}`)
  if (path === '') throw rangeError(`${op}: ${name} must be a path. got ""`)
}

function checkMirrors(op: string, mirrors: unknown): readonly string[] | undefined {
  if (mirrors === undefined) return undefined
  const usable = (url: unknown) => typeof url === 'string' && URL.canParse(url) && /^https?:/.test(url)
  if (!Array.isArray(mirrors) || mirrors.length === 0 || !mirrors.every(usable)) {
    throw typeError(`${op}: mirrors must be a list of addresses that begin with http: or https:. got ${show(mirrors)}`)
  }
  return mirrors
}
