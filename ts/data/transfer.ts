// One file from one address, in as many attempts as it takes.

import { type FileHandle, open } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'
import type { RemoteFile } from './remote-file.js'

/** Attempts without a single new byte before an address is given up. */
const ATTEMPTS = 3

/** An answer that another attempt would not make better. `restart` says that what was there is of no use. */
export class TransferError extends Error {
  constructor(
    message: string,
    readonly restart = true,
  ) {
    super(message)
  }
}

export interface TransferOptions {
  signal?: AbortSignal | undefined
  /** Called with the bytes that are there. */
  onProgress?: (bytes: number) => void
  /** An address that is silent for so long is taken for broken. Default 30 seconds. */
  silenceMs?: number
}

/**
 * Fetches `url` into the file at `path`, going on behind what it holds already. Broken connections are taken up
 * again with a range request; `If-Range` makes sure that it is still the same file, and one that changed begins anew.
 */
export async function transfer(url: string, path: string, file: RemoteFile, options: TransferOptions): Promise<void> {
  const handle = await open(path, 'a+')
  try {
    let { size } = await handle.stat()
    const state: State = { validator: undefined }
    for (let failures = 0; size < file.bytes; ) {
      const before = size
      try {
        size = await attempt(url, handle, file, size, state, options)
        if (size < file.bytes) throw new Error(`it ended after ${size} of ${file.bytes} bytes`)
      } catch (error) {
        if (error instanceof TransferError || options.signal?.aborted || isOfDisk(error)) throw error
        size = (await handle.stat()).size
        failures = size > before ? 0 : failures + 1
        if (failures === ATTEMPTS) throw new TransferError(`${reasonOf(error)} (${ATTEMPTS} attempts)`, false)
        await wait(100 * 2 ** failures, undefined, options.signal && { signal: options.signal })
      }
    }
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function isOfDisk(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).syscall !== undefined
}

interface State {
  /** What the address calls this version of the file. */
  validator: string | undefined
}

async function attempt(
  url: string,
  handle: FileHandle,
  file: RemoteFile,
  from: number,
  state: State,
  { signal, onProgress, silenceMs = 30_000 }: TransferOptions,
): Promise<number> {
  const silence = new AbortController()
  const timer = setTimeout(() => silence.abort(new Error(`it was silent for ${silenceMs / 1000} seconds`)), silenceMs)
  try {
    const response = await fetch(url, {
      headers: {
        // As it is: an encoding of the way would be undone on arrival, and the file be another one.
        'accept-encoding': 'identity',
        ...(from > 0 && { range: `bytes=${from}-` }),
        ...(from > 0 && state.validator !== undefined && { 'if-range': state.validator }),
      },
      signal: signal === undefined ? silence.signal : AbortSignal.any([signal, silence.signal]),
    })
    let size = await check(response, handle, file, from)
    state.validator = validatorOf(response)
    for await (const chunk of response.body ?? []) {
      timer.refresh()
      if (size + chunk.length > file.bytes)
        throw new TransferError(`it is longer than the ${file.bytes} bytes of the file`)
      await handle.appendFile(chunk)
      size += chunk.length
      onProgress?.(size)
    }
    return size
  } finally {
    clearTimeout(timer)
  }
}

/** Looks at the head of an answer; returns where its body belongs. */
async function check(response: Response, handle: FileHandle, file: RemoteFile, from: number): Promise<number> {
  const refuse = async (error: Error) => {
    await response.body?.cancel()
    return error
  }
  const { status, statusText, headers } = response
  if (status === 408 || status === 429 || status >= 500) throw await refuse(new Error(`${status} ${statusText}`))
  if (status !== 200 && status !== 206) throw await refuse(new TransferError(`${status} ${statusText}`, status === 416))
  const type = headers.get('content-type') ?? ''
  if (type.startsWith('text/html')) {
    throw await refuse(new TransferError(`it answered with a web page (${type}) in place of the file`))
  }
  if (status === 206) {
    const start = /^bytes (\d+)-/.exec(headers.get('content-range') ?? '')?.[1]
    if (Number(start) !== from) {
      throw await refuse(
        new TransferError(`it was asked for bytes from ${from} on and sent those from ${start ?? '?'} on`),
      )
    }
    return from
  }
  const length = headers.get('content-length')
  if (length !== null && Number(length) !== file.bytes && headers.get('content-encoding') === null) {
    throw await refuse(new TransferError(`it has ${length} bytes there, not ${file.bytes}`))
  }
  // The whole file: either it was asked for, or it changed, or the address knows no ranges.
  await handle.truncate(0)
  return 0
}

/** A weak ETag does not promise the same bytes. */
function validatorOf({ headers }: Response): string | undefined {
  const etag = headers.get('etag')
  return (etag?.startsWith('W/') ? null : etag) ?? headers.get('last-modified') ?? undefined
}

/** What undici hides behind "fetch failed". */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error
  const inner = cause as NodeJS.ErrnoException | undefined
  return inner === undefined ? message : `${message}: ${inner.message || inner.code}`
}
