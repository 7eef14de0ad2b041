// A server of files on this machine, with the faults of real ones.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Fault {
  /** Cut the connection after so many bytes of the answer. */
  cutAfter?: number
  status?: number
  headers?: Record<string, string>
  body?: Buffer
  /** Say nothing about the length. */
  unknownLength?: boolean
  /** Ignore ranges. */
  noRanges?: boolean
  /** Send this many bytes, then nothing more. */
  stallAfter?: number
}

export interface FileServer {
  url: string
  /** `GET name range` of every request. */
  requests: string[]
  close(): Promise<void>
}

/** Serves `files`; `fault` says what goes wrong with which request (counted from 0 for each name). */
export async function serve(
  files: Record<string, Buffer>,
  fault: (name: string, request: number) => Fault | undefined = () => undefined,
  etag: (name: string) => string = (name) => `"${name}"`,
): Promise<FileServer> {
  const requests: string[] = []
  const counts = new Map<string, number>()
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const name = (request.url ?? '').replace(/^.*\//, '')
    const number = counts.get(name) ?? 0
    counts.set(name, number + 1)
    const { range, 'if-range': ifRange } = request.headers
    requests.push([name, range, ifRange].filter((part) => part !== undefined).join(' '))
    const wrong = fault(name, number) ?? {}
    const file = wrong.body ?? files[name]
    if (wrong.status !== undefined || file === undefined) {
      response.writeHead(wrong.status ?? 404, wrong.headers).end(wrong.body ?? 'no such file')
      return
    }
    const from = /^bytes=(\d+)-$/.exec(range ?? '')?.[1]
    const partial = from !== undefined && !wrong.noRanges && (ifRange === undefined || ifRange === etag(name))
    const start = partial ? Number(from) : 0
    const body = file.subarray(start)
    response.writeHead(partial ? 206 : 200, {
      'content-type': 'application/octet-stream',
      ...(!wrong.unknownLength && { 'content-length': body.length }),
      etag: etag(name),
      ...(partial && { 'content-range': `bytes ${start}-${file.length - 1}/${file.length}` }),
      ...wrong.headers,
    })
    if (wrong.cutAfter !== undefined)
      response.write(body.subarray(0, wrong.cutAfter), () => setTimeout(() => response.destroy(), 20))
    else if (wrong.stallAfter !== undefined) response.write(body.subarray(0, wrong.stallAfter))
    else response.end(body)
  }
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
