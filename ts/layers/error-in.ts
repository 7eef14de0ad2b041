// Errors of ops, with the layer that they happened in.

/**
 * @internal `error` with the layer's label in front, in place of the op's name where the two are alike. Layers inside
 * each other all say their names, the outer one first. Only for errors of this library, which have a code.
 */
export function errorIn(kind: string, label: string, error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error
  if (typeof error.code !== 'string' || !error.code.startsWith('ERR_')) return error
  const before = error.message
  if (before.startsWith(`${label}: `)) return error
  error.message = `${label}: ${before.startsWith(`${kind}: `) ? before.slice(kind.length + 2) : before}`
  // Node prints the stack, which began with the old message.
  if (error.stack !== undefined) error.stack = error.stack.replace(before, () => error.message)
  return error
}
