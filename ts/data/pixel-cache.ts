// Decoded images in a temporary file, so that they need not be decoded again.

import { closeSync, mkdtempSync, openSync, read, rmSync, write } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { fileError } from '../errors.js'

const [readAt, writeAt] = [promisify(read), promisify(write)]

/** Closes the files of caches that nobody holds any more. */
const forgotten = new FinalizationRegistry<number>((file) => closeSync(file))

/** @internal Images of one size by their numbers, in a file of its own that goes with the process, or with `close`. */
export class PixelCache {
  private readonly file: number
  private readonly present: Uint8Array
  /** Whether more can be written: false as soon as the disk is full. */
  private open = true

  /** A file below `folder`, by default the system's folder for temporary files. */
  constructor(
    op: string,
    count: number,
    private readonly bytesEach: number,
    folder = tmpdir(),
  ) {
    this.present = new Uint8Array(count)
    try {
      const own = mkdtempSync(join(folder, 'ferrograd-pixels-'))
      this.file = openSync(join(own, 'pixels'), 'wx+', 0o600)
      const remove = () => rmSync(own, { recursive: true, force: true })
      // Where an open file may lose its name, nothing can be left behind, whatever becomes of the process.
      if (process.platform === 'win32') process.once('exit', remove)
      else remove()
    } catch (error) {
      throw fileError(`${op}: no cache can be kept in ${folder}`, error)
    }
    forgotten.register(this, this.file, this)
  }

  /** Fills `pixels` with an image, if it is there. */
  async read(index: number, pixels: Uint8Array): Promise<boolean> {
    if (this.present[index] === 0) return false
    const { bytesRead } = await readAt(this.file, pixels, 0, pixels.length, index * this.bytesEach)
    return bytesRead === pixels.length
  }

  /** Keeps an image. One that the disk has no room for is decoded again next time, like all that follow. */
  async write(index: number, pixels: Uint8Array): Promise<void> {
    if (!this.open || this.present[index] === 1) return
    try {
      const { bytesWritten } = await writeAt(this.file, pixels, 0, pixels.length, index * this.bytesEach)
      if (bytesWritten === pixels.length) this.present[index] = 1
    } catch {
      this.open = false
    }
  }

  close(): void {
    if (!forgotten.unregister(this)) return
    this.present.fill(0)
    this.open = false
    closeSync(this.file)
  }
}
