// What a check of the initial loss says.

/** What {@link checkInitialLoss} found. As text, a few lines to read. */
export class InitialLossReport {
  /** @internal */
  constructor(
    /** The loss of a model that knows nothing; undefined where the loss function does not say it. */
    readonly expected: number | undefined,
    /** Where `expected` comes from, in words. */
    readonly formula: string,
    /** The loss of the model as it is, without penalties and dropout. */
    readonly loss: number,
    /** The same with an L2 penalty on all kernels. */
    readonly lossWithRegularization: number,
    /** The factor of that penalty. */
    readonly l2: number,
    /** How many examples were looked at. */
    readonly examples: number,
    /** Whether nothing is wrong. */
    readonly passed: boolean,
    /** What is wrong and what to do, or that nothing is. */
    readonly verdict: string,
  ) {}

  toString(): string {
    const { expected, formula, loss, lossWithRegularization, l2, examples, passed, verdict } = this
    const rows = [
      ['loss', figure(loss), `${examples} examples, no penalties, no dropout`],
      ['expected', figure(expected), formula],
      [`with l2 ${l2}`, figure(lossWithRegularization), lossWithRegularization > loss ? 'higher' : 'not higher'],
    ]
    const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]!.length)))
    const lines = rows.map(
      ([name, value, note]) => `  ${name!.padEnd(widths[0]!)}  ${value!.padStart(widths[1]!)}  ${note}`,
    )
    return [`checkInitialLoss: ${passed ? 'passed' : 'failed'}. ${verdict}`, ...lines].join('\n')
  }
}

/** Enough digits to compare by. */
function figure(value: number | undefined): string {
  if (value === undefined) return '-'
  return Math.abs(value) < 1e5 ? value.toFixed(4) : value.toExponential(4)
}
