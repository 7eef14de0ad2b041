// Tables as comma-separated values.

import { FormatError, show, typeError } from '../errors.js'
import { checkChoice, checkOptions, listed } from '../initializers/options.js'
import { tensor } from '../tensor/create.js'
import { checkSeed, Random } from '../tensor/seed.js'
import { type ColumnType, CsvColumn, isMissing, numberOf } from './csv-column.js'
import { type CsvFormat, csvRecords } from './csv-records.js'
import type { DatasetPart } from './dataset.js'
import { checkTestSplit } from './image-folder.js'

export interface CsvOptions {
  /** The column to predict. */
  label: string
  /**
   * What columns hold. Those that are not named are looked through first: `'number'` where every value is one, else
   * `'category'`. A label that is a category becomes a class; one that is a number stays it.
   */
  columns?: Readonly<Record<string, ColumnType>>
  /**
   * What becomes of values that are missing, which are `''`, `?`, `NA`, `N/A`, `NaN`, `nan`, `null` and `NULL`: an error
   * that says where, the mean of the column over the rows to train on, or a number. A missing category becomes zeros unless
   * it is an error. Labels must be there. Default 'error'.
   */
  missing?: 'error' | 'mean' | number
  /** Whether the first line has the names of the columns, or these names; without any they are '0', '1', … Default true. */
  header?: boolean | readonly string[]
  /** What stands between fields. Default ','. */
  delimiter?: string
  /** The share of the rows that goes into `test`, from 0 up to 1. Default 0. */
  testSplit?: number
  /** Seed of the choice for `test`. Default 0: every call chooses the same. */
  seed?: number
}

/** Rows of a table. `images` are `[rows, features]`, float32. */
export interface CsvPart extends DatasetPart {
  /** What each feature is: the column's name, or `name=category`. */
  featureNames: string[]
}

/** A table, to train on and to judge by. */
export interface CsvDataset {
  train: CsvPart
  test: CsvPart
}

const OP = 'datasets.csv'

/**
 * A table from a file of comma-separated values: `images` `[rows, features]` float32, a feature for each column of numbers
 * and one for each category of the others (1 where the row has it, else 0). `labels` `[rows]` are int32 positions in
 * `classNames` if the label is a category, else float32.
 *
 * The file is read as a stream: memory holds its numbers, not its text. Quoted fields, a byte order mark and any kind of
 * line end are understood. The classes and categories are in order: numbers by value, texts by their characters.
 *
 * Throws a {@link FormatError} that says in which line and column a field is missing, no number, or too much.
 *
 * @example
 * ```ts
 * import { datasets } from 'ferrograd'
 * import { writeFileSync } from 'node:fs'
 * import { tmpdir } from 'node:os'
 * import { join } from 'node:path'
 * const path = join(tmpdir(), 'ferrograd-example.csv')
 * writeFileSync(path, 'length,colour,kind\n1.5,red,apple\n7,green,melon\n')
 * const { train } = await datasets.csv(path, { label: 'kind' })
 * console.log(train.featureNames, train.classNames) // [ 'length', 'colour=green', 'colour=red' ] [ 'apple', 'melon' ]
 * console.log(await train.images.array()) // [ [ 1.5, 0, 1 ], [ 7, 1, 0 ] ]
 * ```
 */
export async function csv(path: string, options: CsvOptions): Promise<CsvDataset> {
  if (typeof path !== 'string' || path === '') throw typeError(`${OP}: path must be a path. got ${show(path)}`)
  const { format, label, missing, testSplit, seed, columns } = checkCsv(path, options)
  const types = await typesOf(format, columns, label)
  const table = await readTable(format, types, label, missing)
  const rows = table.label.length
  if (rows === 0) throw new FormatError(`${OP}: ${path} has a header and no rows`)
  const order =
    testSplit === 0 ? Int32Array.from({ length: rows }, (_, row) => row) : new Random(seed).permutation(rows)
  const held = Math.min(Math.round(rows * testSplit), rows - 1)
  const [test, train] = [order.slice(0, held).sort(), order.slice(held).sort()]
  const features = table.features.flatMap((column) => featuresOf(column, missing, train))
  return { train: part(table.label, features, train), test: part(table.label, features, test) }
}

function checkCsv(path: string, options: CsvOptions) {
  checkOptions(OP, options, ['label', 'columns', 'missing', 'header', 'delimiter', 'testSplit', 'seed'])
  const { label, missing = 'error', header = true, delimiter = ',', testSplit = 0, seed = 0 } = options
  const given = options.columns ?? {}
  if (typeof label !== 'string') throw typeError(`${OP}: label must be the name of a column. got ${show(label)}`)
  if (typeof given !== 'object' || Array.isArray(given)) {
    throw typeError(`${OP}: columns must say what columns hold, such as { age: 'number' }. got ${show(given)}`)
  }
  // Without a prototype a column may have any name.
  const columns: Readonly<Record<string, ColumnType>> = Object.assign(Object.create(null), given)
  for (const [name, type] of Object.entries(columns)) {
    checkChoice(OP, `columns[${show(name)}]`, type, ['number', 'category', 'skip'])
  }
  if (columns[label] === 'skip') throw typeError(`${OP}: column ${show(label)} is the label, which cannot be skipped`)
  if (missing !== 'error' && missing !== 'mean' && !Number.isFinite(missing)) {
    throw typeError(`${OP}: missing must be 'error', 'mean' or a number. got ${show(missing)}`)
  }
  const named = Array.isArray(header) && header.length > 0 && header.every((name) => typeof name === 'string')
  if (typeof header !== 'boolean' && !named) {
    throw typeError(`${OP}: header must be true, false or the names of the columns. got ${show(header)}`)
  }
  if (typeof delimiter !== 'string' || delimiter === '' || /["\r\n]/.test(delimiter)) {
    throw typeError(`${OP}: delimiter must be a text without quotes and line ends. got ${show(delimiter)}`)
  }
  checkTestSplit(OP, testSplit)
  checkSeed(OP, seed)
  if (options.seed !== undefined && testSplit === 0) throw typeError(`${OP}: seed has no effect without testSplit`)
  const format: CsvFormat = { op: OP, path, delimiter, header }
  return { format, label, columns, missing, testSplit, seed }
}

/** What every column holds. Goes through the file if that is not said of all. */
async function typesOf(
  format: CsvFormat,
  declared: Readonly<Record<string, ColumnType>>,
  label: string,
): Promise<Map<string, ColumnType>> {
  let names: readonly string[] | undefined
  let open: number[] = []
  for await (const { fields } of csvRecords(format)) {
    if (names === undefined) {
      names = fields
      checkDeclared(format, names, declared, label)
      open = [...names.keys()].filter((column) => declared[fields[column]!] === undefined)
    } else {
      open = open.filter((column) => isMissing(fields[column]!) || numberOf(fields[column]!) !== undefined)
    }
    if (open.length === 0) break
  }
  const numbers = new Set(open)
  return new Map(names!.map((name, column) => [name, declared[name] ?? (numbers.has(column) ? 'number' : 'category')]))
}

function checkDeclared(
  { path }: CsvFormat,
  names: readonly string[],
  declared: Readonly<Record<string, ColumnType>>,
  label: string,
): void {
  const unknown = [label, ...Object.keys(declared)].find((name) => !names.includes(name))
  if (unknown === undefined) return
  const shown = names.slice(0, 20).map((name) => JSON.stringify(name))
  const more = names.length > 20 ? ` and ${names.length - 20} more` : ''
  throw new FormatError(
    `${OP}: ${path} has no column ${show(unknown)}. it has ${more ? shown.join(', ') : listed(shown)}${more}`,
  )
}

interface Table {
  features: CsvColumn[]
  label: CsvColumn
}

async function readTable(
  format: CsvFormat,
  types: ReadonlyMap<string, ColumnType>,
  label: string,
  missing: CsvOptions['missing'],
): Promise<Table> {
  const columns = [...types].map(([name, type]) => (type === 'skip' ? undefined : new CsvColumn(name, type)))
  let header = true
  for await (const { line, fields } of csvRecords(format)) {
    if (header) {
      header = false
      continue
    }
    for (const [i, column] of columns.entries()) {
      if (column === undefined) continue
      const field = fields[i]!
      const where = () => `${OP}: line ${line}, column ${JSON.stringify(column.name)} of ${format.path}`
      if (isMissing(field) && (missing === 'error' || column.name === label))
        throw missingError(where(), column.name === label)
      column.add(field, where)
    }
  }
  const known = columns.filter((column) => column !== undefined)
  const features = known.filter((column) => column.name !== label)
  if (features.length === 0)
    throw new FormatError(`${OP}: ${format.path} has no column beside the label and those that are skipped`)
  return { features, label: known.find((column) => column.name === label)! }
}

function missingError(where: string, isLabel: boolean): FormatError {
  const way = isLabel ? 'a row needs its label: remove it' : `fill it, or pass missing: 'mean' or a number`
  return new FormatError(`${where} is missing. ${way}`)
}

interface Feature {
  name: string
  valueOf(row: number): number
}

/** `train` are the rows that a mean is taken over: what is held back must not show. */
function featuresOf(column: CsvColumn, missing: CsvOptions['missing'], train: Int32Array): Feature[] {
  const values = column.finish()
  if (column.type === 'category') {
    return column.categories.map((category, place) => ({
      name: `${column.name}=${category}`,
      valueOf: (row) => (values[row] === place ? 1 : 0),
    }))
  }
  const known = train.filter((row) => !Number.isNaN(values[row]!))
  const mean = () => known.reduce((sum, row) => sum + values[row]! / known.length, 0)
  const filler = typeof missing === 'number' ? missing : mean()
  return [{ name: column.name, valueOf: (row) => (Number.isNaN(values[row]!) ? filler : values[row]!) }]
}

function part(label: CsvColumn, features: readonly Feature[], rows: Int32Array): CsvPart {
  const inputs = new Float32Array(rows.length * features.length)
  for (const [i, row] of rows.entries()) {
    for (const [j, feature] of features.entries()) inputs[i * features.length + j] = feature.valueOf(row)
  }
  const values = label.finish()
  const labels = Array.from(rows, (row) => values[row]!)
  return {
    images: tensor(inputs, { shape: [rows.length, features.length] }),
    labels: tensor(label.type === 'category' ? Int32Array.from(labels) : Float32Array.from(labels)),
    classNames: label.type === 'category' ? label.categories : [],
    featureNames: features.map(({ name }) => name),
  }
}
