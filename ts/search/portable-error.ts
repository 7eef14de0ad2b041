// Errors on their way from one thread to another.

import * as errors from '../errors.js'

/** @internal An error as plain data. */
export interface PortableError {
  readonly name: string
  readonly message: string
  readonly stack: string | undefined
  readonly code: string | undefined
}

const classes: Readonly<Record<string, new (message: string) => Error>> = {
  ShapeError: errors.ShapeError,
  GradientError: errors.GradientError,
  DTypeError: errors.DTypeError,
  FormatError: errors.FormatError,
  StreamError: errors.StreamError,
  TypeError,
  RangeError,
}

/** @internal Whatever was thrown, as an error. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}

/** @internal */
export function toPortable(thrown: unknown): PortableError {
  const error = asError(thrown) as Error & { code?: unknown }
  const { name, message, stack, code } = error
  return { name, message, stack, code: typeof code === 'string' ? code : undefined }
}

/** @internal An error of the same class, where it is one of ours or of the language. */
export function fromPortable({ name, message, stack, code }: PortableError): Error {
  const error = new (classes[name] ?? Error)(message)
  if (error.name !== name) error.name = name
  if (stack !== undefined) error.stack = stack
  if (code !== undefined) Object.assign(error, { code })
  return error
}
