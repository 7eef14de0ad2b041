// How exact products of float32 numbers must be.

import { show, typeError } from '../errors.js'

/**
 * How exact matrix products and convolutions of float32 tensors must be, their gradients included.
 *
 * - `'highest'`: as float32.
 * - `'high'`: terms with a relative error of 2⁻¹⁶ (about 2 · 10⁻⁵) will do. On a processor with AMX both factors are taken as sums of two
 *   bfloat16 numbers, and three products of those as theirs.
 * - `'medium'`: 2⁻⁸ (4 · 10⁻³) will do. Factors are rounded to bfloat16; sums are float32 all the same.
 *
 * It allows, and does not demand: other processors compute in float32 whatever it says. So do products that are too small or thin,
 * convolutions that the Winograd algorithm serves, and blocks of 32 × 32 results with numbers for which the pieces would
 * not do: infinities, NaN, and factors so small that their product is below 2⁻⁹⁹. Results then depend on the processor, but not on
 * the number of threads. `model.summary(console.log, { explain: true })` says of each convolution what it runs by.
 *
 * `FERROGRAD_AMX` in the environment: `off` computes in float32 always, `always` takes `'highest'` to pieces, too, with three each and six
 * products, which round no worse than float32; `emulate` does that in plain code on any processor, slowly.
 *
 * Source: Henry, Tang and Heinecke 2019.
 */
export type Precision = 'highest' | 'high' | 'medium'

/** The numbers that the native side knows them by. */
const codes: Readonly<Record<Precision, number>> = { highest: 0, high: 1, medium: 2 }

let current: Precision = 'highest'

/** @internal Throws unless `value` is a precision. */
export function checkPrecision(op: string, value: unknown): asserts value is Precision {
  if (typeof value !== 'string' || !Object.hasOwn(codes, value)) {
    throw typeError(`${op}: precision must be 'highest', 'high' or 'medium'. got ${show(value)}`)
  }
}

/** @internal The code of the precision of an op: its option, or what the model that is being run was compiled with. */
export function precisionCode(op: string, option: Precision | undefined): number {
  if (option !== undefined) checkPrecision(op, option)
  return codes[option ?? current]
}

/** @internal Runs `body` with this precision where ops have none of their own; undefined changes nothing. */
export function withPrecision<T>(precision: Precision | undefined, body: () => T): T {
  const before = current
  current = precision ?? before
  try {
    return body()
  } finally {
    current = before
  }
}
