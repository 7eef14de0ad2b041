// Files that are known before they are fetched.

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'

/** A file of record: what it is called, how long it is, and the checksum that was published for it. */
export interface RemoteFile {
  readonly name: string
  readonly bytes: number
  readonly algorithm: 'sha256' | 'md5'
  readonly checksum: string
}

/** Why the file at `path` is not the one of record; undefined if it is. Throws when it cannot be read. */
export async function whyNot(file: RemoteFile, path: string, signal?: AbortSignal): Promise<string | undefined> {
  const { size } = await stat(path)
  if (size !== file.bytes) return `it has ${size} bytes, not ${file.bytes}`
  const hash = createHash(file.algorithm)
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20, ...(signal && { signal }) })) {
    hash.update(chunk as Buffer)
  }
  const found = hash.digest('hex')
  return found === file.checksum ? undefined : `its ${file.algorithm} is ${found}, not ${file.checksum}`
}
