// Options that are a share: from 0 up to 1.

import { rangeError, show } from '../errors.js'
import { checkNumber } from '../initializers/options.js'

/** @internal Throws unless `value` is from 0 up to but not including 1. */
export function checkShare(op: string, name: string, value: unknown): number {
  const share = checkNumber(op, name, value, 0)
  if (share >= 1) throw rangeError(`${op}: ${name} must be from 0 up to but not including 1. got ${show(value)}`)
  return share
}
