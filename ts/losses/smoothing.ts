// Label smoothing, an option of both cross-entropies.

import { rangeError, show, typeError } from '../errors.js'

/** @internal Throws unless `value` is a number from 0 up to but not including 1. */
export function checkSmoothing(op: string, value: unknown): void {
  if (typeof value !== 'number') throw typeError(`${op}: labelSmoothing must be a number. got ${show(value)}`)
  if (!(value >= 0 && value < 1)) {
    throw rangeError(`${op}: labelSmoothing must be from 0 up to but not including 1. got ${show(value)}`)
  }
}
