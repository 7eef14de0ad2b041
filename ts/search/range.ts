// What a hyperparameter may be: ranges of numbers, and choices.

import { rangeError, show, typeError } from '../errors.js'
import { checkBoolean, checkNumber, checkOptions } from '../initializers/options.js'
import type { Random } from '../tensor/seed.js'

/** @internal Where a value lies that is suspiciously close to the end of its range. */
export interface Edge {
  readonly side: 'lower' | 'upper'
  /** What the range is. */
  readonly range: string
  /** A range that goes on where this one ends, as one would write it. */
  readonly wider: string
}

/** What a hyperparameter is drawn from. Made by `search.uniform`, `logUniform`, `integer` and `choice`. */
export abstract class Range<T> {
  /** @internal */
  abstract draw(random: Random): T
  /** @internal The range that a fine search looks through when `good`, of which `best` is the best, were good. */
  abstract narrowed(good: readonly T[], best: T): Range<T>
  /** @internal Undefined where better values are not to be expected outside. */
  abstract edgeAt(value: T): Edge | undefined
  /** @internal What tells it from other ranges, as plain data. */
  abstract toJSON(): object
}

/** How a number is drawn: evenly as it is, evenly by its logarithm, or whole. */
type Kind = 'uniform' | 'logUniform' | 'integer'

/** The share of a range that counts as its edge, on either side. */
const EDGE = 0.05
/** What a fine search adds to the span of the good values on either side: this share of the range. */
const PADDING = 0.1

/** @internal Numbers from `min` to `max`. */
export class NumberRange extends Range<number> {
  constructor(
    readonly kind: Kind,
    readonly min: number,
    readonly max: number,
    readonly log: boolean,
  ) {
    super()
  }

  draw(random: Random): number {
    const share = random.next()
    if (this.kind !== 'integer') return this.clip(this.from(this.at(this.min) + share * this.width))
    // The whole numbers from min to max are the cells that begin at them.
    const start = this.at(this.min)
    return this.clip(Math.floor(this.from(start + share * (this.at(this.max + 1) - start))))
  }

  /**
   * From the least to the largest of the good values, wider by a tenth of the range on either side, but not beyond the
   * range. Only a log-uniform range is left, and only where the best value lies at its edge: rates go on there, while
   * linear ranges often end where values stop making sense.
   */
  narrowed(good: readonly number[], best: number): NumberRange {
    const side = this.kind === 'logUniform' ? this.edgeAt(best)?.side : undefined
    const padding = PADDING * this.width
    const low = this.from(this.at(Math.min(...good)) - padding)
    const high = this.from(this.at(Math.max(...good)) + padding)
    let min = side === 'lower' ? low : Math.max(low, this.min)
    let max = side === 'upper' ? high : Math.min(high, this.max)
    if (this.kind === 'integer') {
      min = Math.floor(min)
      max = Math.ceil(max)
      if (min === max) [min, max] = max < this.max ? [min, max + 1] : [min - 1, max]
    }
    return new NumberRange(this.kind, min, max, this.log)
  }

  edgeAt(value: number): Edge | undefined {
    const share = (this.at(value) - this.at(this.min)) / this.width
    if (share > EDGE && share < 1 - EDGE) return undefined
    const side = share <= EDGE ? 'lower' : 'upper'
    // Below the least count, and below nothing, there is nothing to find.
    if (side === 'lower' && (this.min === 0 || (this.kind === 'integer' && this.min === 1))) return undefined
    return { side, range: `${brief(this.min)} to ${brief(this.max)}`, wider: String(this.widened(side)) }
  }

  private widened(side: 'lower' | 'upper'): NumberRange {
    const { kind, min, max, log } = this
    const factor = kind === 'integer' ? 2 : 10
    const half = (max - min) / 2
    const below = log ? min / factor : min >= 0 && min - half < half * 1e-9 ? 0 : min - half
    const above = log ? max * factor : max + half
    const whole = kind === 'integer'
    return side === 'lower'
      ? new NumberRange(kind, whole ? Math.max(Math.floor(below), log ? 1 : -Infinity) : below, max, log)
      : new NumberRange(kind, min, whole ? Math.ceil(above) : above, log)
  }

  override toString(): string {
    const log = this.kind === 'integer' && this.log ? ', { log: true }' : ''
    return `search.${this.kind}(${brief(this.min)}, ${brief(this.max)}${log})`
  }

  toJSON(): object {
    const { kind, min, max, log } = this
    return { kind, min, max, ...(kind === 'integer' && { log }) }
  }

  private get width(): number {
    return this.at(this.max) - this.at(this.min)
  }

  private at(value: number): number {
    return this.log ? Math.log(value) : value
  }

  private from(position: number): number {
    return this.log ? Math.exp(position) : position
  }

  private clip(value: number): number {
    return Math.min(this.max, Math.max(this.min, value))
  }
}

/** @internal One of several values. */
export class Choice<T> extends Range<T> {
  constructor(readonly values: readonly T[]) {
    super()
  }

  draw(random: Random): T {
    return this.values[Math.floor(random.next() * this.values.length)]!
  }

  narrowed(good: readonly T[]): Choice<T> {
    return new Choice(this.values.filter((value) => good.includes(value)))
  }

  edgeAt(): undefined {}

  override toString(): string {
    return `search.choice(${show(this.values)})`
  }

  toJSON(): object {
    return { kind: 'choice', values: this.values }
  }
}

/** Three significant digits, as short as they can be written. */
function brief(value: number): string {
  const rounded = Number.isInteger(value) && Math.abs(value) < 1e6 ? value : Number(value.toPrecision(3))
  return Math.abs(rounded) < 1e-3 && rounded !== 0 ? rounded.toExponential() : String(rounded)
}

function numberRange(kind: Kind, min: unknown, max: unknown, log: boolean): NumberRange {
  const op = `search.${kind}`
  checkNumber(op, 'min', min, log ? 0 : -Infinity, log)
  checkNumber(op, 'max', max)
  for (const [name, value] of kind === 'integer'
    ? ([
        ['min', min],
        ['max', max],
      ] as const)
    : []) {
    if (!Number.isSafeInteger(value)) throw rangeError(`${op}: ${name} must be a whole number. got ${show(value)}`)
  }
  if (!((min as number) < (max as number))) {
    throw rangeError(
      `${op}: min must be below max. got min ${show(min)}, max ${show(max)}. a single value is search.choice([value])`,
    )
  }
  return new NumberRange(kind, min as number, max as number, log)
}

/**
 * Numbers from `min` to `max`, all equally likely. For what acts by addition: a dropout rate, a momentum.
 *
 * @example
 * ```ts
 * import { search } from 'ferrograd'
 * console.log(String(search.uniform(0.2, 0.8))) // search.uniform(0.2, 0.8)
 * ```
 */
export function uniform(min: number, max: number): Range<number> {
  return numberRange('uniform', min, max, false)
}

/**
 * Numbers from `min` to `max`, both above 0, whose logarithms are all equally likely: as many between 0.001 and 0.01 as
 * between 0.01 and 0.1. For what acts by multiplication: a learning rate, a regularization strength.
 *
 * @example
 * ```ts
 * import { search } from 'ferrograd'
 * console.log(String(search.logUniform(1e-5, 1e-1))) // search.logUniform(1e-5, 0.1)
 * ```
 */
export function logUniform(min: number, max: number): Range<number> {
  return numberRange('logUniform', min, max, true)
}

/**
 * Whole numbers from `min` to `max`, both included, all equally likely; with `log: true` their logarithms are, for
 * sizes that span powers of two.
 *
 * @example
 * ```ts
 * import { search } from 'ferrograd'
 * console.log(String(search.integer(16, 512, { log: true }))) // search.integer(16, 512, { log: true })
 * ```
 */
export function integer(min: number, max: number, options: { log?: boolean } = {}): Range<number> {
  checkOptions('search.integer', options, ['log'])
  return numberRange('integer', min, max, checkBoolean('search.integer', 'log', options.log ?? false))
}

/**
 * One of `values`, all equally likely (one that is listed twice, twice so). They are plain data: strings, numbers,
 * booleans, null, arrays and objects of such. The type of the parameter is the union of the values.
 *
 * @example
 * ```ts
 * import { search } from 'ferrograd'
 * console.log(String(search.choice(['relu', 'tanh']))) // search.choice(["relu", "tanh"])
 * ```
 */
export function choice<const T>(values: readonly T[]): Range<T> {
  if (!Array.isArray(values)) throw typeError(`search.choice: expects an array of values. got ${show(values)}`)
  if (values.length === 0) throw rangeError('search.choice: there are no values to choose from. got []')
  values.forEach((value, i) => {
    if (!isPlain(value)) {
      throw typeError(
        `search.choice: value ${i} must be plain data (strings, finite numbers, booleans, null, arrays and objects of them), as it is recorded. got ${show(value)}. choose a name, and make the rest of it in build`,
      )
    }
  })
  return new Choice<T>([...values])
}

function isPlain(value: unknown, depth = 0): boolean {
  if (typeof value === 'number') return Number.isFinite(value)
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return true
  if (typeof value !== 'object' || depth > 8) return false
  if (Array.isArray(value)) return value.every((item) => isPlain(item, depth + 1))
  return (
    Object.getPrototypeOf(value) === Object.prototype && Object.values(value).every((item) => isPlain(item, depth + 1))
  )
}
