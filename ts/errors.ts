// The errors that ferrograd throws, and how their messages are built.

/** Sizes that do not fit together. */
export class ShapeError extends Error {
  override name = 'ShapeError'
  readonly code = 'ERR_SHAPE'
}

/** A gradient that cannot be computed: nothing was recorded, or it was used up. */
export class GradientError extends Error {
  override name = 'GradientError'
  readonly code = 'ERR_GRADIENT'
}

/** A dtype that an op does not take. */
export class DTypeError extends Error {
  override name = 'DTypeError'
  readonly code = 'ERR_DTYPE'
}

/** A file that is not what its format demands. */
export class FormatError extends Error {
  override name = 'FormatError'
  readonly code = 'ERR_FORMAT'
}

/** Native work failed; the message names the op. Every later read of this thread reports it too. */
export class StreamError extends Error {
  override name = 'StreamError'
  readonly code = 'ERR_STREAM'
}

/** @internal A `RangeError` with a code: a value outside of what an option allows. */
export function rangeError(message: string): RangeError {
  return Object.assign(new RangeError(message), { code: 'ERR_OUT_OF_RANGE' })
}

/** @internal A `TypeError` with a code: a value of the wrong kind. */
export function typeError(message: string): TypeError {
  return Object.assign(new TypeError(message), { code: 'ERR_INVALID_ARG_TYPE' })
}

/** @internal How a value looks in an error message. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`
  if (typeof value === 'function') return `function ${value.name || '(anonymous)'}`
  if (typeof value === 'object' && value !== null) {
    const name = value.constructor?.name
    return name && name !== 'Object' ? `a ${name}` : 'an object'
  }
  return typeof value === 'bigint' ? `${value}n` : String(value)
}

/** @internal An error of the system about a file, in the user's words, with the system's code. */
export function fileError(message: string, cause: unknown): Error {
  const { code, message: reason } = cause as { code?: unknown; message?: unknown }
  const known = reasons[String(code)] ?? String(reason ?? cause)
  return Object.assign(new Error(`${message}. ${known}`, { cause }), {
    code: typeof code === 'string' ? code : 'ERR_IO',
  })
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder (ENOENT)',
  ENOTDIR: 'a part of the path is not a folder (ENOTDIR)',
  EISDIR: 'it is a folder (EISDIR)',
  EEXIST: 'something else has that name (EEXIST)',
  EACCES: 'the system does not permit it (EACCES)',
  EPERM: 'the system does not permit it (EPERM)',
  EROFS: 'the disk can only be read (EROFS)',
  ENOSPC: 'the disk is full (ENOSPC)',
  EDQUOT: 'the quota of the disk is used up (EDQUOT)',
  EIO: 'the disk failed (EIO)',
  EMFILE: 'too many files are open (EMFILE)',
  ELOOP: 'symbolic links lead in a circle (ELOOP)',
  ENAMETOOLONG: 'the name is too long (ENAMETOOLONG)',
}
