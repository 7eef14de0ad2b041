// What files say of optimizers and schedules.

import { FormatError, show } from '../errors.js'
import { listed } from '../initializers/options.js'

/** @internal A config with a `kind` that is one of `known`; throws a {@link FormatError} otherwise. */
export function checkConfig(
  op: string,
  what: string,
  config: unknown,
  known: Readonly<Record<string, unknown>>,
): { kind: string } & Record<string, unknown> {
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    throw new FormatError(`${op}: the ${what} must be an object with a kind. got ${show(config)}`)
  }
  const kind = 'kind' in config ? config.kind : undefined
  if (typeof kind !== 'string' || !Object.hasOwn(known, kind)) {
    throw new FormatError(`${op}: there is no ${what} of kind ${show(kind)}. there are ${listed(Object.keys(known))}`)
  }
  return { ...config, kind }
}

/** @internal Runs `make`; what it says of its options becomes a {@link FormatError}. */
export function rebuilt<T>(op: string, what: string, make: () => T): T {
  try {
    return make()
  } catch (error) {
    if (error instanceof FormatError) throw error
    throw new FormatError(`${op}: the ${what} cannot be rebuilt. ${(error as Error).message}`, { cause: error })
  }
}
