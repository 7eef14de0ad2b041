// Gradients against finite differences.

import { DTypeError, rangeError, show, typeError } from '../errors.js'
import { tensor } from '../tensor/create.js'
import { scope } from '../tensor/scope.js'
import { checkSeed, Random } from '../tensor/seed.js'
import { checkTensor, type Tensor } from '../tensor/tensor.js'
import { Variable } from '../tensor/variable.js'
import { checkFunction } from './backward.js'
import { type CheckedElement, type CheckedInput, GradCheckResult } from './grad-check-result.js'
import { ScalarFunction } from './scalar-function.js'

export interface GradCheckOptions {
  /** Step of the central difference. Default 1e-6. */
  epsilon?: number
  /** Differences up to this count as none. Default 1e-5. */
  absoluteTolerance?: number
  /** What `passed` allows for `maxRelativeError`. Default 1e-3. */
  relativeTolerance?: number
  /** Compare only so many elements of an input, drawn at random; smaller inputs are compared whole. Default: all. */
  samples?: number
  /** Seed of the weights that reduce the output to one number, and of `samples`. Default 0. */
  seed?: number
  /** Weights to reduce the output with in place of random ones, float64 and of its shape: the gradient that arrives. */
  upstream?: Tensor
}

type Checked = Required<Omit<GradCheckOptions, 'samples' | 'upstream'>> & Pick<GradCheckOptions, 'samples'>

/**
 * Compares the gradients of `fn` with central differences, (f(x + ε) − f(x − ε)) / 2ε, element by element. The output
 * may have any shape: it is reduced to one number with random weights between 0.5 and 1.5, or with
 * those of `upstream`. Inputs must be float64.
 *
 * The relative error is |analytic − numeric| / max(|analytic|, |numeric|, absoluteTolerance / relativeTolerance). Print the
 * result to see, for each input, the worst element and what its error means.
 *
 * An input that is a variable is changed in place and set back in the end, so `fn` may also use it from outside: the
 * weights of a float64 model are checked with `gradCheck(() => loss(model.forward(x)), model.trainableWeights)`.
 *
 * Kinks, such as that of relu at 0, make differences across them wrong though the gradient is right: check on few
 * examples, on inputs away from 0, or on a `samples` of elements. Check without penalties first, which may hide the rest.
 *
 * Throws a `DTypeError` for inputs that are not float64, a `GradientError` when `fn` gives another result for the same
 * inputs, and a `RangeError` or `TypeError` for options that mean nothing.
 *
 * @example
 * ```ts
 * import { gradCheck, mul, tensor } from 'ferrograd'
 * const x = tensor([1, 2, 3], { dtype: 'float64' })
 * const result = await gradCheck((x) => mul(x, x), [x])
 * console.log(result.passed, result.inputs[0]!.checked) // true 3
 * console.log(String(result).split('\n')[1]) // ops: mul
 * ```
 */
export async function gradCheck(
  fn: (...inputs: Tensor[]) => Tensor,
  inputs: readonly Tensor[],
  options: GradCheckOptions = {},
): Promise<GradCheckResult> {
  checkFunction('gradCheck', fn)
  const checked = checkOptions(options)
  checkInputs(inputs)
  const f = new ScalarFunction(fn, checked.seed, options.upstream)
  const unique = [...new Set(inputs)]
  const { value, gradients, operations } = await f.differentiate(inputs, unique)
  await f.checkSame(inputs, value)
  const found = new Map<Tensor, CheckedInput>()
  for (const [i, x] of unique.entries()) {
    const start = (await x.data()) as Float64Array
    try {
      found.set(x, await compare(f, inputs, { x, start, gradient: gradients[i]! }, checked))
    } finally {
      if (x instanceof Variable) restore(x, start)
    }
  }
  return new GradCheckResult(
    inputs.map((x) => found.get(x)!),
    operations,
    checked.relativeTolerance,
  )
}

const known = ['epsilon', 'absoluteTolerance', 'relativeTolerance', 'samples', 'seed', 'upstream']

function checkOptions(options: GradCheckOptions): Checked {
  if (typeof options !== 'object' || options === null) {
    throw typeError(`gradCheck: expects an options object. got ${show(options)}`)
  }
  for (const [key, value] of Object.entries(options)) {
    if (known.includes(key)) continue
    throw typeError(
      `gradCheck: there is no option ${key} (got ${show(value)}). valid are ${known.slice(0, -1).join(', ')} and ${known.at(-1)}`,
    )
  }
  const { epsilon = 1e-6, absoluteTolerance = 1e-5, relativeTolerance = 1e-3, seed = 0, samples } = options
  for (const [name, value] of Object.entries({ epsilon, absoluteTolerance, relativeTolerance })) {
    if (!(value > 0 && value < Infinity)) throw rangeError(`gradCheck: ${name} must be above 0. got ${show(value)}`)
  }
  if (samples !== undefined && !(Number.isInteger(samples) && samples > 0)) {
    throw rangeError(`gradCheck: samples must be a whole number from 1. got ${show(samples)}`)
  }
  checkSeed('gradCheck', seed)
  checkUpstream(options.upstream)
  return { epsilon, absoluteTolerance, relativeTolerance, seed, ...(samples !== undefined && { samples }) }
}

function checkUpstream(upstream: Tensor | undefined): void {
  if (upstream === undefined) return
  checkTensor('gradCheck', 'upstream', upstream)
  if (upstream.dtype !== 'float64') {
    throw new DTypeError(
      `gradCheck: upstream has dtype ${upstream.dtype}, but the check computes in float64. make it with tensor(values, { dtype: 'float64' })`,
    )
  }
}

function checkInputs(inputs: readonly Tensor[]): void {
  if (!Array.isArray(inputs) || inputs.length === 0) {
    throw typeError(`gradCheck: the second argument must be an array of tensors. got ${show(inputs)}`)
  }
  inputs.forEach((x, i) => {
    checkTensor('gradCheck', `inputs[${i}]`, x)
    if (x.dtype !== 'float64') {
      throw new DTypeError(
        `gradCheck: inputs[${i}] has dtype ${x.dtype}; finite differences need float64. make it with tensor(values, { dtype: 'float64' })`,
      )
    }
  })
}

async function compare(
  f: ScalarFunction,
  inputs: readonly Tensor[],
  { x, start, gradient }: { x: Tensor; start: Float64Array; gradient: Float64Array },
  { epsilon, absoluteTolerance, relativeTolerance, samples, seed }: Checked,
): Promise<CheckedInput> {
  const elements = pick(x.size, samples, seed)
  let worst: CheckedElement | undefined
  for (const element of elements) {
    const numeric = await f.slope(inputs, x, start, element, epsilon)
    const analytic = gradient[element]!
    const scale = Math.max(Math.abs(analytic), Math.abs(numeric), absoluteTolerance / relativeTolerance)
    const relativeError = Math.abs(analytic - numeric) / scale
    if (worst === undefined || isWorse(relativeError, worst.relativeError)) {
      worst = { index: indexOf(element, x.shape), analytic, numeric, relativeError }
    }
  }
  const name = x instanceof Variable ? x.name : `inputs[${inputs.indexOf(x)}]`
  return { name, shape: x.shape, size: x.size, checked: elements.length, worst }
}

function restore(x: Variable, start: Float64Array): void {
  scope(() => x.assign(tensor(start, { shape: x.shape })))
}

/** Nothing is worse than a NaN. */
function isWorse(error: number, than: number): boolean {
  return !Number.isNaN(than) && !(error <= than)
}

/** The elements to compare, in order. */
function pick(size: number, samples: number | undefined, seed: number): Int32Array {
  if (samples === undefined || samples >= size) return Int32Array.from({ length: size }, (_, i) => i)
  return new Random(seed).permutation(size).slice(0, samples).sort()
}

function indexOf(element: number, shape: readonly number[]): number[] {
  let rest = element
  const index = shape.map(() => 0)
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index[axis] = rest % shape[axis]!
    rest = Math.floor(rest / shape[axis]!)
  }
  return index
}
