// Initializers by name.

import { show, typeError } from '../errors.js'
import * as factories from './index.js'
import type { Initializer } from './initializer.js'
import { oneOf } from './options.js'

const byKind: Readonly<Record<string, unknown>> = { ...factories }

/** The initializers that need no options. */
export type InitializerName = Exclude<keyof typeof factories, 'constant'>

/** A name, what one of `initializers` returns, or an object of your own. */
export type InitializerOption = InitializerName | Initializer

/** @internal The initializer that an option of a layer stands for. */
export function resolveInitializer(op: string, option: string, value: unknown): Initializer {
  if (typeof value === 'string') return build(op, option, value, {}, value)
  if (typeof value === 'object' && value !== null) {
    if ('initialize' in value && typeof value.initialize === 'function') return value as Initializer
    if ('kind' in value && typeof value.kind === 'string') {
      const { kind, ...options } = value
      return build(op, option, kind as string, options, value)
    }
  }
  throw wrong(op, option, value)
}

function build(op: string, option: string, kind: string, options: object, value: unknown): Initializer {
  if (!Object.hasOwn(byKind, kind)) throw wrong(op, option, value)
  return (byKind[kind] as (options: object) => Initializer)(options)
}

function wrong(op: string, option: string, value: unknown): TypeError {
  return typeError(
    `${op}: ${option} must be ${oneOf(Object.keys(byKind))}, or an object with initialize(shape, dtype). got ${show(value)}`,
  )
}
