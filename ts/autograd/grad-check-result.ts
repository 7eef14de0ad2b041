// What a gradient check found, for programs and for people.

import { showShape } from '../tensor/shape.js'

/** An element of an input, with its two derivatives. */
export interface CheckedElement {
  /** Where it is in its input: one number for each axis. */
  index: number[]
  /** What `backward` says. */
  analytic: number
  /** What the central difference says. */
  numeric: number
  /** |analytic − numeric| / max(|analytic|, |numeric|, floor); NaN where either is. */
  relativeError: number
}

/** One input of a gradient check. */
export interface CheckedInput {
  /** The variable's name, or its place: `inputs[0]`. */
  name: string
  shape: readonly number[]
  size: number
  /** Elements that were compared. */
  checked: number
  /** The element with the largest relative error; undefined for an input without elements. */
  worst: CheckedElement | undefined
}

const KINKED = new Set([
  ...['relu', 'leakyRelu', 'abs', 'clip', 'maximum', 'minimum', 'max', 'min', 'maxout'],
  ...['maxPool2d', 'globalMaxPool2d', 'svm', 'meanAbsoluteError'],
])

/** What {@link gradCheck} found. As text, one line for each input. */
export class GradCheckResult {
  /** For each input the largest relative error. */
  readonly perInput: number[]
  /** The largest of `perInput`. */
  readonly maxRelativeError: number
  /** Whether every error is within `relativeTolerance`. A NaN never is. */
  readonly passed: boolean

  /** @internal */
  constructor(
    /** The inputs in their order, each with its worst element. */
    readonly inputs: readonly CheckedInput[],
    /** The ops that the gradients flow through, each once, first ones first. */
    readonly operations: readonly string[],
    relativeTolerance: number,
  ) {
    this.perInput = inputs.map(({ worst }) => worst?.relativeError ?? 0)
    this.maxRelativeError = this.perInput.reduce((max, error) => Math.max(max, error), 0)
    this.passed = this.maxRelativeError <= relativeTolerance
  }

  /** The ops of the graph whose derivative jumps: a difference across such a kink is off, and no gradient is wrong. */
  get kinks(): readonly string[] {
    return this.operations.filter((name) => name.split(' + ').some((part) => KINKED.has(part)))
  }

  /**
   * A table with a line for each input: its worst element, both derivatives, the relative error and what it means. Above
   * 1e-2 a gradient is probably wrong, above 1e-4 it is suspicious, below it is right if the function has kinks, and from
   * 1e-7 down it is right. Source of the bands: the notes of Stanford's CS231n.
   */
  toString(): string {
    const { passed, operations, inputs, kinks } = this
    const head = ['input', 'shape', 'checked', 'worst at', 'analytic', 'numeric', 'relative error', 'verdict']
    const rows = [head, ...inputs.map((input) => cellsOf(input, kinks))]
    const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
    const lines = rows.map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    return [
      `gradCheck: ${passed ? 'passed' : 'failed'}. the largest relative error is ${short(this.maxRelativeError)}`,
      `ops: ${operations.join(', ') || 'none: the result does not depend on the inputs'}`,
      ...lines,
    ].join('\n')
  }
}

function cellsOf({ name, shape, size, checked, worst }: CheckedInput, kinks: readonly string[]): string[] {
  const cells = [name, showShape(shape), checked === size ? 'all' : `${checked} of ${size}`]
  if (worst === undefined) return [...cells, '-', '-', '-', '-', 'nothing to check']
  const { index, analytic, numeric, relativeError } = worst
  return [
    ...cells,
    showShape(index),
    ...[analytic, numeric].map((value) => value.toExponential(6)),
    short(relativeError),
    meaning(relativeError, kinks),
  ]
}

function short(error: number): string {
  return Number.isFinite(error) ? error.toExponential(1) : String(error)
}

function meaning(error: number, kinks: readonly string[]): string {
  if (Number.isNaN(error)) return 'wrong: not a number'
  if (error > 1e-2) return 'probably wrong'
  if (error > 1e-4) return 'uncomfortable'
  if (error <= 1e-7) return 'happy'
  return kinks.length > 0 ? `fine: there are kinks (${kinks.join(', ')})` : 'a little high: there are no kinks'
}
