// Options that several augmentations have.

import { rangeError, show, typeError } from '../errors.js'
import { checkNumber } from '../initializers/options.js'
import type { Random } from '../tensor/seed.js'

/** From one number to another, both included. */
export type Range = readonly [number, number]

/** @internal Throws unless `value` is from 0 to 1. */
export function checkProbability(op: string, value: unknown): number {
  if (typeof value !== 'number') throw typeError(`${op}: probability must be a number. got ${show(value)}`)
  if (!(value >= 0 && value <= 1)) throw rangeError(`${op}: probability must be from 0 to 1. got ${show(value)}`)
  return value
}

/** @internal Throws unless `value` is `[min, max]` within bounds; `min` itself is left out when `open`. */
export function checkRange(op: string, name: string, value: unknown, min = -Infinity, open = false): Range {
  if (!Array.isArray(value) || value.length !== 2) {
    throw typeError(`${op}: ${name} must be a pair [min, max]. got ${show(value)}`)
  }
  const [low, high] = value.map((one, i) => checkNumber(op, `${name} (${i === 0 ? 'min' : 'max'})`, one, min, open))
  if (low! > high!) throw rangeError(`${op}: ${name} must be a pair [min, max] with min ≤ max. got ${show(value)}`)
  return [low!, high!]
}

/** @internal A number between both, evenly. */
export function between(random: Random, [low, high]: Range): number {
  return low + random.next() * (high - low)
}

/** @internal A number between both whose logarithm is spread evenly. */
export function betweenLogarithms(random: Random, [low, high]: Range): number {
  return Math.exp(between(random, [Math.log(low), Math.log(high)]))
}

/** @internal A whole number from 0 to `last`. */
export function upTo(random: Random, last: number): number {
  return Math.floor(random.next() * (last + 1))
}
