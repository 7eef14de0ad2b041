// The figures of every epoch as lines of a file.

import { type FileHandle, open } from 'node:fs/promises'
import { FormatError, fileError, rangeError, show, typeError } from '../errors.js'
import { checkBoolean, checkOptions, listed } from '../initializers/options.js'
import { checkPath, type FilePath } from '../io/file-path.js'
import type { Logs } from '../training/logs.js'
import type { Callback } from './callback.js'

export interface CsvLoggerOptions {
  /** The file. Its folder must exist. */
  path: FilePath
  /** Go on below the lines of the file, in its columns. Default false: a file that is there is replaced. */
  append?: boolean
  /** The character between two columns. Default ','. */
  separator?: string
}

/** Writes one line for each epoch. */
class CsvLogger implements Callback {
  private readonly op: string
  private readonly path: string
  private readonly append: boolean
  private readonly separator: string
  private file: FileHandle | undefined
  private columns: readonly string[] | undefined

  constructor(options: CsvLoggerOptions) {
    const op = 'csvLogger'
    checkOptions(op, options, ['path', 'append', 'separator'])
    this.path = checkPath(op, options.path)
    this.op = `${op} ${show(String(options.path))}`
    this.append = checkBoolean(op, 'append', options.append ?? false)
    this.separator = checkSeparator(op, options.separator ?? ',')
  }

  /** Opens the file now, and not when the first epoch is lost. What it holds stays until there is something better. */
  async onTrainBegin(): Promise<void> {
    this.columns = undefined
    this.file = await open(this.path, 'a+').catch((error) => {
      throw fileError(`${this.op}: the file cannot be written`, error)
    })
    if (this.append) await this.goOn(this.file)
  }

  async onEpochEnd(epoch: number, logs: Logs): Promise<void> {
    if (this.file === undefined) return
    const figures = new Map<string, number | undefined>(Object.entries({ epoch, ...logs }))
    let text = ''
    if (this.columns === undefined) {
      this.columns = [...figures.keys()]
      text = this.line(this.columns)
      await this.file.close()
      this.file = await open(this.path, 'w').catch((error) => this.failed(error))
    }
    const other = [...figures.keys()].find((name) => !this.columns!.includes(name))
    if (other !== undefined) {
      throw typeError(
        `${this.op}: there is no column for ${show(other)}. the columns are ${listed(this.columns)}, and a file keeps those of its first line. log to another file`,
      )
    }
    text += this.line(this.columns.map((name) => figures.get(name) ?? ''))
    try {
      await this.file.appendFile(text)
      await this.file.datasync()
    } catch (error) {
      this.failed(error)
    }
  }

  async onTrainEnd(): Promise<void> {
    const file = this.file
    this.file = undefined
    await file?.close()
  }

  /** Takes over the columns of a file that has some. */
  private async goOn(file: FileHandle): Promise<void> {
    const text = await file.readFile('utf8').catch((error) => this.failed(error))
    if (text === '') return
    const first = await this.firstLine(text)
    if (first === undefined || first[0] !== 'epoch') {
      throw new FormatError(
        `${this.op}: cannot go on in this file: its first column is ${show(first?.[0])}, not "epoch". give the separator that it was written with, or another path`,
      )
    }
    this.columns = first
    // A line that a crash has cut off.
    if (!text.endsWith('\n')) await file.appendFile('\n').catch((error) => this.failed(error))
  }

  private async firstLine(text: string): Promise<string[] | undefined> {
    const { parse } = await import('csv-parse/sync')
    try {
      return (parse(text, { bom: true, delimiter: this.separator, to: 1 }) as string[][])[0]
    } catch (error) {
      throw new FormatError(`${this.op}: cannot go on in this file: ${(error as Error).message}`, { cause: error })
    }
  }

  private line(fields: readonly (string | number)[]): string {
    const quoted = fields.map((field) => {
      const text = String(field)
      return text.includes(this.separator) || /["\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
    })
    return `${quoted.join(this.separator)}\n`
  }

  private failed(error: unknown): never {
    throw fileError(`${this.op}: the file cannot be written`, error)
  }
}

function checkSeparator(op: string, separator: unknown): string {
  if (typeof separator !== 'string') throw typeError(`${op}: separator must be a string. got ${show(separator)}`)
  if (!/^[^\p{L}\p{N}"\r\n.+-]$/u.test(separator)) {
    throw rangeError(
      `${op}: separator must be one character that is not in numbers and no letter, quote or line break. got ${show(separator)}`,
    )
  }
  return separator
}

/**
 * A callback that writes the figures of every epoch as one line of a file of comma-separated values (RFC 4180): `epoch`,
 * counted from 0, and what `fit` reports, such as `loss`, `accuracy`, `val_loss`. The first line holds their names. They are
 * those of the first epoch; a figure that is missing later leaves its place empty, and one without a column is an error.
 *
 * A line is on the disk before the next epoch begins. A file that is there is replaced when the first epoch is over, not
 * before. With `append` the lines go below those of the file, in its columns: for a training that goes on after a break.
 * Where it goes back to an earlier epoch, that epoch is in the file twice, and the later line is the one that counts.
 *
 * A file that cannot be written, or that holds something else, is an error before the first epoch.
 *
 * @example
 * ```ts
 * import { callbacks, datasets, layers, sequential } from 'ferrograd'
 * import { readFile } from 'node:fs/promises'
 * import { tmpdir } from 'node:os'
 * const { train } = datasets.spiral({ points: 50, classes: 3, seed: 1 })
 * const model = sequential({ inputShape: [2], layers: [layers.dense({ units: 3 })] })
 * model.compile({ optimizer: 'adam', loss: 'softmaxCrossEntropy', metrics: ['accuracy'] })
 * const path = `${tmpdir()}/training-${process.pid}.csv`
 * await model.fit(train.images, train.labels, { epochs: 3, verbose: 0, callbacks: callbacks.csvLogger({ path }) })
 * const lines = (await readFile(path, 'utf8')).split('\n')
 * console.log(lines.length, lines[0]) // 5 epoch,loss,accuracy
 * ```
 */
export function csvLogger(options: CsvLoggerOptions): Callback {
  return new CsvLogger(options)
}
