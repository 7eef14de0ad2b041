// The names of metrics, which become keys in logs.

import { show, typeError } from '../errors.js'

/** @internal Throws unless `name` can be the key of a metric. */
export function checkName(op: string, name: unknown): string {
  if (typeof name !== 'string' || name === '' || name === 'loss' || name.startsWith('val_')) {
    throw typeError(`${op}: name must be a string other than 'loss', and not begin with 'val_'. got ${show(name)}`)
  }
  return name
}
