// Errors of ops, with the layer that they happened in.

const labelled = new WeakSet<Error>()

/**
 * @internal `error` with the layer's label in front, in place of the op's name where the two are alike. Only for
 * errors of this library, which have a code, and only once: the innermost layer says where.
 */
export function errorIn(kind: string, label: string, error: unknown): unknown {
  if (!(error instanceof Error) || labelled.has(error)) return error
  if (!('code' in error) || typeof error.code !== 'string' || !error.code.startsWith('ERR_')) return error
  labelled.add(error)
  const before = error.message
  if (before.startsWith(`${label}: `)) return error
  error.message = `${label}: ${before.startsWith(`${kind}: `) ? before.slice(kind.length + 2) : before}`
  // Node prints the stack, which began with the old message.
  if (error.stack !== undefined) error.stack = error.stack.replace(before, () => error.message)
  return error
}
