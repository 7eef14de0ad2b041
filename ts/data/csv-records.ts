// The records of a file of comma-separated values, one at a time.

import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream'
import { FormatError, fileError } from '../errors.js'

/** The most characters in one record: an open quotation mark would swallow the rest of the file otherwise. */
const MOST_CHARACTERS = 2 ** 24

export interface CsvFormat {
  op: string
  path: string
  delimiter: string
  /** Whether the first record has the names of the columns, or these names. */
  header: boolean | readonly string[]
}

export interface CsvRecord {
  /** Counted from 1; of a record that spans several lines the last one. */
  line: number
  fields: readonly string[]
}

/** @internal The names of the columns, then every record. Nothing else of the file stays in memory. */
export async function* csvRecords(format: CsvFormat): AsyncGenerator<CsvRecord, void, undefined> {
  const { op, path, delimiter, header } = format
  const { parse } = await import('csv-parse')
  const parser = parse({
    bom: true,
    delimiter,
    info: true,
    skip_empty_lines: true,
    relax_column_count: true,
    max_record_size: MOST_CHARACTERS,
  })
  // An error reaches the parser, whom it ends, and through it the loop below.
  const records = pipeline(createReadStream(path), parser, () => {})
  let names: readonly string[] | undefined
  try {
    for await (const { record, info } of records as AsyncIterable<{ record: string[]; info: { lines: number } }>) {
      const line = info.lines
      if (names === undefined) {
        const first = header === true
        names = checkNames(format, first ? record : header || record.map((_, column) => String(column)), line)
        yield { line, fields: names }
        if (first) continue
      }
      if (record.length !== names.length) {
        throw new FormatError(
          `${op}: line ${line} of ${path} has ${record.length} fields, but there are ${names.length} columns. fields with a ${JSON.stringify(delimiter)} inside belong in quotes`,
        )
      }
      yield { line, fields: record }
    }
  } catch (error) {
    if (error instanceof FormatError) throw error
    const { code, message, lines } = error as { code?: string; message: string; lines?: number }
    if (code?.startsWith('CSV_'))
      throw new FormatError(`${op}: line ${lines ?? '?'} of ${path}: ${message}`, { cause: error })
    throw fileError(`${op}: ${path} cannot be read`, error)
  } finally {
    records.destroy()
  }
  if (names === undefined) throw new FormatError(`${op}: ${path} is empty`)
}

function checkNames({ op, path }: CsvFormat, names: readonly string[], line: number): readonly string[] {
  const twice = names.find((name, column) => names.indexOf(name) < column)
  if (twice !== undefined) {
    throw new FormatError(
      `${op}: line ${line} of ${path} names two columns ${JSON.stringify(twice)}. if the file has no header, pass header: false or the names`,
    )
  }
  return names
}
