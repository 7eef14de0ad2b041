// What writing a file asks of the system.

import * as promises from 'node:fs/promises'

/** An open file. */
export interface OpenFile {
  write(buffer: Uint8Array, offset: number, length: number): Promise<{ bytesWritten: number }>
  read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesRead: number }>
  chmod(mode: number): Promise<void>
  sync(): Promise<void>
  close(): Promise<void>
}

/** The system, or a test's idea of a failing one. */
export interface FileSystem {
  open(path: string, flags: string, mode?: number): Promise<OpenFile>
  rename(from: string, to: string): Promise<void>
  unlink(path: string): Promise<void>
  stat(path: string): Promise<{ mode: number; mtimeMs: number; isFile(): boolean }>
  access(path: string, mode: number): Promise<void>
  realpath(path: string): Promise<string>
  readlink(path: string): Promise<string>
  readdir(path: string): Promise<string[]>
}

/** @internal Node's. */
export const nodeFileSystem = promises as unknown as FileSystem

/** @internal Tries again what a signal has interrupted. */
export async function uninterrupted<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call()
    } catch (error) {
      if (codeOf(error) !== 'EINTR') throw error
    }
  }
}

/** @internal */
export function codeOf(error: unknown): string | undefined {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' ? code : undefined
}
