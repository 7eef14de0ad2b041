// The file in which a search notes every finished trial, so that it can go on after a crash.

import { type FileHandle, open } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { FormatError, typeError } from '../errors.js'
import type { Mode } from './objective.js'
import type { Params } from './space.js'
import { noHistory, type Trial } from './trial.js'

/** @internal A trial as it is noted, with which way was up. */
export interface Entry {
  readonly trial: Trial
  readonly mode: Mode
}

/** A line of the file: what a part of the search is, or a trial of it. */
interface Line {
  readonly part: string
  readonly search?: Params
  readonly trial?: Record<string, unknown>
  readonly mode?: Mode
}

const OPENING = '{"ferrograd":"search"'
const inUse = new Set<string>()

/** @internal An open record. A trial is on the disk when `add` resolves. */
export class SearchRecord {
  private writing: Promise<unknown> = Promise.resolve()

  private constructor(
    private readonly op: string,
    private readonly path: string,
    private readonly file: FileHandle,
    private readonly lines: readonly Line[],
    private end: number,
  ) {}

  /** Reads what is there, if anything is. What a crash left of a last line is cut off. */
  static async open(op: string, place: string | URL): Promise<SearchRecord> {
    const path = resolve(place instanceof URL ? fileURLToPath(place) : place)
    if (inUse.has(path)) throw typeError(`${op}: the record "${path}" is in use by another search`)
    inUse.add(path)
    let file: FileHandle | undefined
    try {
      const fresh = await createdNow(path)
      file = await open(path, 'r+')
      if (!(await file.stat()).isFile()) {
        throw new FormatError(`${op}: the record "${path}" is no regular file. give another path`)
      }
      const text = await file.readFile('utf8')
      const { lines, length } = parse(op, path, text)
      await file.truncate(length)
      if (fresh) await syncFolder(path)
      return new SearchRecord(op, path, file, lines, length)
    } catch (error) {
      inUse.delete(path)
      await file?.close()
      throw error
    }
  }

  /** What the file says of the search, under `key`, in the first part it has. */
  noted(key: string): unknown {
    return this.lines.find(({ search }) => search !== undefined)?.search?.[key]
  }

  /**
   * The trials of one part of the search that are noted already, by number. Throws when the part is noted as one of
   * another search.
   */
  async begin(part: string, search: Params): Promise<Map<number, Entry>> {
    const known = this.lines.find((line) => line.search !== undefined && line.part === part)?.search
    const other = this.lines.find((line) => line.search !== undefined)
    if (known === undefined) {
      if (other !== undefined && part !== 'fine') throw this.foreign('kind', other.part, part)
      await this.write({ part, search })
      return new Map()
    }
    for (const key of new Set([...Object.keys(known), ...Object.keys(search)])) {
      const [a, b] = [JSON.stringify(known[key]), JSON.stringify(search[key])]
      if (a !== b) throw this.foreign(key, a, b)
    }
    const trials = this.lines.filter((line) => line.part === part && line.trial !== undefined)
    // Of a trial that was tried again, the last word counts.
    return new Map(trials.map(({ trial, mode }) => [trial!.index as number, { trial: readTrial(trial!), mode: mode! }]))
  }

  /** Notes a finished trial. */
  async add(part: string, { trial, mode }: Entry): Promise<void> {
    const { error, ...plain } = trial
    await this.write({ part, mode, trial: plain as Record<string, unknown> })
  }

  async close(): Promise<void> {
    await this.writing.catch(() => {})
    inUse.delete(this.path)
    await this.file.close()
  }

  /** Lines go out one after the other, each with its newline at once. */
  private write(line: Line): Promise<void> {
    const text = `${OPENING},${JSON.stringify(line, spellOut).slice(1)}\n`
    const written = this.writing.then(async () => {
      await this.file.write(text, this.end)
      await this.file.datasync()
      this.end += Buffer.byteLength(text)
    })
    this.writing = written.catch(() => {})
    return written
  }

  private foreign(what: string, there: string | undefined, here: string | undefined): Error {
    return new FormatError(
      `${this.op}: the record "${this.path}" belongs to another search: its ${what} is ${there ?? 'not given'}, that of this one is ${here ?? 'not given'}. give another path, or delete the file`,
    )
  }
}

/** Creates the file where there is none. */
async function createdNow(path: string): Promise<boolean> {
  try {
    await (await open(path, 'wx')).close()
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** Makes the name of a new file as durable as its contents. Windows has no such thing. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const folder = await open(dirname(path), 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

/** The whole lines of a record, and how many bytes they take. */
function parse(op: string, path: string, text: string): { lines: Line[]; length: number } {
  const rows = text.split('\n')
  const torn = rows.pop()!
  const lines: Line[] = []
  let length = 0
  for (const [i, row] of [...rows, ...(torn === '' ? [] : [torn])].entries()) {
    if (!(row.startsWith(OPENING) || (i === rows.length && OPENING.startsWith(row.slice(0, OPENING.length))))) {
      throw new FormatError(
        `${op}: "${path}" is no record of a search: line ${i + 1} does not begin with ${OPENING}. give another path`,
      )
    }
    if (i === rows.length) break
    try {
      lines.push(checkLine(JSON.parse(row)))
    } catch {
      throw new FormatError(`${op}: the record "${path}" is damaged at line ${i + 1}. delete the line, or the file`)
    }
    length += Buffer.byteLength(row) + 1
  }
  return { lines, length }
}

function checkLine(line: Line): Line {
  const trial = line.trial as Partial<Trial> | undefined
  const valid =
    typeof line.part === 'string' &&
    (trial === undefined
      ? typeof line.search === 'object' && line.search !== null
      : Number.isInteger(trial.index) &&
        ['done', 'diverged', 'failed'].includes(trial.status!) &&
        (line.mode === 'min' || line.mode === 'max') &&
        Array.isArray(trial.history?.epoch))
  if (!valid) throw new Error('not a line of a record')
  return line
}

const unspeakable = ['NaN', 'Infinity', '-Infinity']

/** JSON has no words for some numbers. */
function spellOut(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value
}

const toNumber = (value: unknown): number => (unspeakable.includes(value as string) ? Number(value) : (value as number))

function readTrial(plain: Record<string, unknown>): Trial {
  const trial = plain as unknown as Trial
  const history = noHistory()
  history.epoch = trial.history.epoch
  for (const [key, values] of Object.entries(trial.history.history)) history.history[key] = values!.map(toNumber)
  return { ...trial, value: toNumber(trial.value), history }
}
