// Columns of a table, filled value by value.

import { FormatError } from '../errors.js'

/** What a column holds. */
export type ColumnType = 'number' | 'category' | 'skip'

const MISSING = new Set(['', '?', 'NA', 'N/A', 'NaN', 'nan', 'null', 'NULL'])
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/

/** More values than this are no categories but texts. */
const MOST_CATEGORIES = 10_000

/** @internal Whether a field says that its value is not known. */
export function isMissing(field: string): boolean {
  return MISSING.has(field.trim())
}

/** @internal The number that a field is; undefined if it is none. */
export function numberOf(field: string): number | undefined {
  const text = field.trim()
  const value = NUMBER.test(text) ? Number(text) : undefined
  return value !== undefined && Number.isFinite(value) ? value : undefined
}

/** @internal One column. Missing values are NaN in a column of numbers and -1 in one of categories. */
export class CsvColumn {
  /** Numbers, or positions in `categories` in the order in which they were met. */
  private values = new Float64Array(1024)
  private codes = new Map<string, number>()
  length = 0

  constructor(
    readonly name: string,
    readonly type: 'number' | 'category',
  ) {}

  /** `where` says in errors which field it is. */
  add(field: string, where: () => string): void {
    if (this.length === this.values.length) {
      const longer = new Float64Array(2 * this.length)
      longer.set(this.values)
      this.values = longer
    }
    this.values[this.length++] = isMissing(field) ? this.missing : this.valueOf(field, where)
  }

  private get missing(): number {
    return this.type === 'number' ? Number.NaN : -1
  }

  private valueOf(field: string, where: () => string): number {
    if (this.type === 'number') {
      const value = numberOf(field)
      if (value === undefined) {
        throw new FormatError(
          `${where()} is ${JSON.stringify(field)}, which is no number. declare the column: columns: { ${JSON.stringify(this.name)}: 'category' }, or 'skip' to leave it out`,
        )
      }
      return value
    }
    const text = field.trim()
    let code = this.codes.get(text)
    if (code === undefined) {
      code = this.codes.size
      if (code === MOST_CATEGORIES) {
        throw new FormatError(
          `${where()} is the ${MOST_CATEGORIES + 1}th value of column ${JSON.stringify(this.name)}, which is too many for categories. leave the column out: columns: { ${JSON.stringify(this.name)}: 'skip' }`,
        )
      }
      this.codes.set(text, code)
    }
    return code
  }

  /** The categories in order: numbers by value, texts by the code of their characters. */
  get categories(): string[] {
    const found = [...this.codes.keys()]
    const numbers = found.every((text) => numberOf(text) !== undefined)
    return numbers ? found.sort((a, b) => Number(a) - Number(b)) : found.sort()
  }

  /** The values of all rows; categories as positions in `categories`. */
  finish(): Float64Array {
    const values = this.values.subarray(0, this.length)
    if (this.type === 'number') return values
    const places = new Map(this.categories.map((text, place) => [this.codes.get(text)!, place]))
    return values.map((code) => places.get(code) ?? -1)
  }
}
