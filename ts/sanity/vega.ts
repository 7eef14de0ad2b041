// Charts are drawn by vega, where the user has it.

/** @internal The package `vega`. Rejects with an error that says what to install. */
export async function loadVega(op: string): Promise<typeof import('vega')> {
  try {
    return await import('vega')
  } catch (error) {
    throw Object.assign(
      new Error(`${op}: charts are drawn by the package vega, which cannot be loaded. npm install vega`, {
        cause: error,
      }),
      { code: 'ERR_NO_VEGA' },
    )
  }
}
