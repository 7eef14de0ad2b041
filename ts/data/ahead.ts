// Getting ready what will be asked for.

/**
 * @internal Goes through `source` some items ahead of whoever asks, never more: what is not taken is not made. `drop` gets
 * the items that nobody wants any more. As a generator works on one item at a time, so does this.
 */
export async function* ahead<T>(
  source: AsyncGenerator<T, void, undefined>,
  depth: number,
  drop: (item: T) => void,
): AsyncGenerator<T, void, undefined> {
  const asked: Promise<IteratorResult<T, void>>[] = []
  const ask = () => {
    const next = source.next()
    // It is looked at in its turn.
    next.catch(() => {})
    asked.push(next)
  }
  try {
    for (let i = 0; i < depth; i++) ask()
    for (;;) {
      const result = await asked.shift()!
      if (result.done === true) return
      ask()
      yield result.value
    }
  } finally {
    // What is being made may take for ever, so nobody waits for the end of it.
    source.return().catch(() => {})
    for (const next of asked) next.then((result) => result.done === true || drop(result.value)).catch(() => {})
  }
}
