// The header of a safetensors file: JSON of one fixed form, read strictly.

/** @internal A tensor as the header declares it. `at` is where its name stands in the text. */
export interface HeaderEntry {
  readonly name: string
  readonly dtype: string
  readonly shape: readonly number[]
  /** Where its bytes begin and end, counted from the end of the header. */
  readonly begin: number
  readonly end: number
  readonly at: number
}

/** @internal What is wrong with a header, and where in its text. */
export class HeaderError extends Error {
  constructor(
    message: string,
    readonly at: number,
  ) {
    super(message)
  }
}

const fields = ['dtype', 'shape', 'data_offsets'] as const
const [TAB, NEWLINE, RETURN, SPACE] = [9, 10, 13, 32]
const [QUOTE, ZERO, NINE, BACKSLASH] = [34, 48, 57, 92]

/** @internal Tensors have at most as many axes as nested arrays can have. */
export const MOST_AXES = 32

/**
 * @internal Reads a header entry by entry. Only what the format defines is taken, and the form has a fixed depth: no
 * nesting can exhaust a stack, no key can stand twice, and no number is read with a loss.
 *
 * `JSON.parse` would do none of that: it keeps the last of two equal keys and rounds long numbers.
 */
export class HeaderReader {
  /** What `__metadata__` holds. */
  readonly metadata = new Map<string, string>()
  private readonly names = new Set<string>()
  private at = 0
  private begun = false

  constructor(private readonly text: string) {}

  /** The next tensor; undefined at the end, where nothing but white space may follow. */
  next(): HeaderEntry | undefined {
    while (this.member('{', '}', this.begun)) {
      this.begun = true
      const at = this.at
      const name = this.string('the name of a tensor')
      if (this.names.has(name)) throw new HeaderError(`the name ${showName(name)} stands twice`, at)
      this.names.add(name)
      this.expect(':')
      if (name === '__metadata__') this.readMetadata()
      else return this.entry(name, at)
    }
    this.skip()
    if (this.at < this.text.length) throw this.unexpected('nothing behind the closing brace')
    return undefined
  }

  private readMetadata(): void {
    for (let i = 0; this.member('{', '}', i > 0); i++) {
      const at = this.at
      const key = this.string('a key of __metadata__')
      if (this.metadata.has(key)) {
        throw new HeaderError(`the key ${showName(key)} of __metadata__ stands twice`, at)
      }
      this.expect(':')
      this.metadata.set(key, this.string(`a string as ${showName(key)} of __metadata__`))
    }
  }

  private entry(name: string, at: number): HeaderEntry {
    const label = `tensor ${showName(name)}`
    let dtype: string | undefined
    let shape: number[] | undefined
    let offsets: number[] | undefined
    for (let i = 0; this.member('{', '}', i > 0); i++) {
      const at = this.at
      const field = this.string(`${label}: dtype, shape or data_offsets`)
      const known = field === 'dtype' ? dtype : field === 'shape' ? shape : offsets
      if (!fields.includes(field as (typeof fields)[number])) {
        throw new HeaderError(`${label}: ${showName(field)} is neither dtype, shape nor data_offsets`, at)
      }
      if (known !== undefined) throw new HeaderError(`${label}: ${field} stands twice`, at)
      this.expect(':')
      if (field === 'dtype') dtype = this.string(`${label}: the name of a dtype`)
      else if (field === 'shape') shape = this.numbers(`${label}: shape`, MOST_AXES)
      else offsets = this.numbers(`${label}: data_offsets`, 2)
    }
    if (dtype === undefined || shape === undefined || offsets === undefined) {
      const missing = dtype === undefined ? 'dtype' : shape === undefined ? 'shape' : 'data_offsets'
      throw new HeaderError(`${label}: ${missing} is missing`, at)
    }
    const [begin, end] = offsets
    if (begin === undefined || end === undefined) {
      throw new HeaderError(`${label}: data_offsets must be two numbers. got ${offsets.length}`, at)
    }
    return { name, dtype, shape, begin, end, at }
  }

  /** A list of whole numbers from 0. */
  private numbers(label: string, most: number): number[] {
    const list: number[] = []
    while (this.member('[', ']', list.length > 0)) {
      if (list.length === most) throw new HeaderError(`${label} has more than ${most} numbers`, this.at)
      list.push(this.number(label))
    }
    return list
  }

  private number(label: string): number {
    const { text } = this
    const start = this.at
    let value = 0
    let code = text.charCodeAt(this.at)
    while (code >= ZERO && code <= NINE) {
      value = value * 10 + (code - ZERO)
      code = text.charCodeAt(++this.at)
    }
    const digits = this.at - start
    const next = text[this.at]
    if (digits === 0 || next === '.' || next === 'e' || next === 'E' || (digits > 1 && text[start] === '0')) {
      throw new HeaderError(`${label} must hold whole numbers from 0. got ${show(text, start)}`, start)
    }
    if (value > Number.MAX_SAFE_INTEGER) {
      throw new HeaderError(`${label}: ${text.slice(start, start + Math.min(digits, 30))} is too large`, start)
    }
    return value
  }

  /** Whether another member of the object or list follows; leaves it behind what opens or parts them. */
  private member(open: string, close: string, begun: boolean): boolean {
    this.skip()
    if (!begun) this.expect(open)
    this.skip()
    if (this.text[this.at] === close) {
      this.at++
      return false
    }
    if (!begun) return true
    this.expect(',')
    this.skip()
    return true
  }

  private expect(character: string): void {
    this.skip()
    if (this.text[this.at] !== character) throw this.unexpected(character)
    this.at++
  }

  private skip(): void {
    const { text } = this
    let code = text.charCodeAt(this.at)
    while (code === SPACE || code === NEWLINE || code === TAB || code === RETURN) code = text.charCodeAt(++this.at)
  }

  private string(what: string): string {
    this.skip()
    const { text } = this
    const start = this.at
    if (text.charCodeAt(start) !== QUOTE) throw this.unexpected(what)
    let end = start + 1
    let escaped = false
    for (let code = text.charCodeAt(end); code !== QUOTE; code = text.charCodeAt(++end)) {
      if (code === BACKSLASH) {
        escaped = true
        end++
      } else if (!(code >= SPACE)) {
        throw new HeaderError(end < text.length ? 'a string with a control character' : 'a string without an end', end)
      }
    }
    this.at = end + 1
    return escaped ? unescaped(text.slice(start, this.at), start) : text.slice(start + 1, end)
  }

  private unexpected(expected: string): HeaderError {
    return new HeaderError(`expected ${expected}. got ${show(this.text, this.at)}`, this.at)
  }
}

function unescaped(literal: string, at: number): string {
  let value: string
  try {
    value = JSON.parse(literal)
  } catch {
    throw new HeaderError('a string with an escape that JSON does not know', at)
  }
  if (/\p{Surrogate}/u.test(value)) throw new HeaderError('a string with half a character (a lone surrogate)', at)
  return value
}

/** @internal A name from a file, of which an error shows at most the beginning. */
export function showName(name: string): string {
  return name.length <= 100
    ? JSON.stringify(name)
    : `${JSON.stringify(name.slice(0, 100))}… (${name.length} characters)`
}

/** The beginning of the text from `at` on. */
function show(text: string, at: number): string {
  return at >= text.length ? 'the end of the header' : JSON.stringify(text.slice(at, at + 12))
}
