// Checking options objects: what is unknown is named together with what would be valid.

import { rangeError, show, typeError } from '../errors.js'

/** @internal Throws unless `options` is an object whose keys are all `known`. */
export function checkOptions(op: string, options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw typeError(`${op}: expects an options object. got ${show(options)}`)
  }
  for (const [key, value] of Object.entries(options)) {
    if (known.includes(key)) continue
    const close = known.find((name) => name.toLowerCase() === key.toLowerCase().replaceAll(/[_-]/g, ''))
    const hint = close === undefined ? `valid are ${listed(known)}` : `did you mean ${close}?`
    throw typeError(`${op}: there is no option ${key} (got ${show(value)}). ${hint}`)
  }
}

/** @internal Throws unless `value` is one of `valid`. */
export function checkChoice<T extends string>(op: string, name: string, value: unknown, valid: readonly T[]): T {
  if (!valid.includes(value as T)) {
    throw typeError(`${op}: ${name} must be ${oneOf(valid)}. got ${show(value)}`)
  }
  return value as T
}

/** @internal Throws unless `value` is a finite number of at least `min`, or above it when `open`. */
export function checkNumber(op: string, name: string, value: unknown, min = -Infinity, open = false): number {
  if (typeof value !== 'number') throw typeError(`${op}: ${name} must be a number. got ${show(value)}`)
  if (!Number.isFinite(value) || value < min || (open && value === min)) {
    const bound = min === -Infinity ? 'finite' : open ? `above ${min}` : `${min} or more`
    throw rangeError(`${op}: ${name} must be ${bound}. got ${show(value)}`)
  }
  return value
}

/** @internal Throws unless `value` is a whole number from `min` to 2^31 - 1. */
export function checkCount(op: string, name: string, value: unknown, min = 1): number {
  if (typeof value !== 'number') throw typeError(`${op}: ${name} must be a whole number. got ${show(value)}`)
  if (!Number.isInteger(value) || value < min || value >= 2 ** 31) {
    throw rangeError(`${op}: ${name} must be a whole number from ${min}. got ${show(value)}`)
  }
  return value
}

/** @internal */
export function checkBoolean(op: string, name: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw typeError(`${op}: ${name} must be true or false. got ${show(value)}`)
  return value
}

/** `[[top, bottom], [left, right]]` */
export type Sides = readonly [readonly [number, number], readonly [number, number]]

/** @internal Padding around images: one number for all sides, `[height, width]`, or one for each side. */
export function checkSides(label: string, padding: unknown): Sides {
  const side = (value: unknown) => checkCount(label, 'padding', value, 0)
  if (!Array.isArray(padding)) {
    const all = side(padding)
    return [
      [all, all],
      [all, all],
    ]
  }
  const pairs = padding.map((item) => (Array.isArray(item) ? item.map(side) : [side(item), side(item)]))
  if (pairs.length !== 2 || pairs.some((pair) => pair.length !== 2)) {
    throw rangeError(
      `${label}: padding must be a number, [height, width] or [[top, bottom], [left, right]]. got ${show(padding)}`,
    )
  }
  return pairs as unknown as Sides
}

/** @internal `'a', 'b' or 'c'` */
export function oneOf(names: readonly string[]): string {
  const quoted = names.map((name) => `'${name}'`)
  return quoted.length < 2 ? quoted.join('') : `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`
}

/** @internal `a, b and c` */
export function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}
