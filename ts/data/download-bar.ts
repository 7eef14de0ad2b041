// How far a download is, on a terminal.

import type { SingleBar } from 'cli-progress'
import type { RemoteFile } from './remote-file.js'

/** @internal A bar on `process.stdout` if that is a terminal; else nothing. */
export class DownloadBar {
  private constructor(private readonly bar: SingleBar | undefined) {}

  static async open(file: RemoteFile, wanted: boolean): Promise<DownloadBar> {
    if (!wanted || process.stdout.isTTY !== true) return new DownloadBar(undefined)
    const { Presets, SingleBar } = (await import('cli-progress')).default
    const format = `${file.name} [{bar}] {value}/{total} MB {eta_formatted}`
    const style = { format, barCompleteChar: '=', barIncompleteChar: '.', barsize: 24, fps: 8, stopOnComplete: false }
    const bar = new SingleBar({ ...style, gracefulExit: false, stream: process.stdout }, Presets.legacy)
    bar.start(megabytes(file.bytes), 0)
    return new DownloadBar(bar)
  }

  update(bytes: number): void {
    this.bar?.update(megabytes(bytes))
  }

  close(): void {
    this.bar?.stop()
  }
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1e5) / 10
}
