// Paths as users give them.

import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { show, typeError } from '../errors.js'

/** A path, relative to the working directory if it is not absolute, or a `file:` URL. */
export type FilePath = string | URL

/** @internal The absolute path. */
export function checkPath(op: string, path: unknown): string {
  if (path instanceof URL && path.protocol === 'file:') return fileURLToPath(path)
  if (typeof path !== 'string' || path === '' || path.includes('\0')) {
    throw typeError(`${op}: path must be the name of a file, or a file: URL. got ${show(path)}`)
  }
  return resolve(path)
}
