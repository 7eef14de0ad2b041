// Gradients against finite differences.

import { DTypeError, rangeError, show } from '../errors.js'
import { tensor, zeros } from '../tensor/create.js'
import { scope } from '../tensor/scope.js'
import { Random } from '../tensor/seed.js'
import { checkTensor, type Tensor } from '../tensor/tensor.js'
import { checkFunction, flow } from './backward.js'
import { withLeaves } from './gradients.js'
import { noGrad } from './record.js'

export interface GradCheckOptions {
  /** Step of the central difference. Default 1e-6. */
  epsilon?: number
  /** Differences up to this count as none. Default 1e-5. */
  absoluteTolerance?: number
  /** What `passed` allows for `maxRelativeError`. Default 1e-3. */
  relativeTolerance?: number
  /** Seed of the weights that reduce the output to one number. Default 0. */
  seed?: number
}

export interface GradCheckResult {
  /** The largest of `perInput`. */
  maxRelativeError: number
  /** For each input the largest |analytic − numeric| / max(|analytic|, |numeric|, absoluteTolerance / relativeTolerance). */
  perInput: number[]
  /** Whether every error is within `relativeTolerance`. A NaN never is. */
  passed: boolean
}

/**
 * Compares the gradients of `fn` with central differences, (f(x + ε) − f(x − ε)) / 2ε, element by element. The output
 * may have any shape: it is reduced to one number with random weights between 0.5 and 1.5. Inputs must be float64.
 *
 * @example
 * ```ts
 * import { gradCheck, mul, tensor } from 'ferrograd'
 * const x = tensor([1, 2, 3], { dtype: 'float64' })
 * const { passed } = await gradCheck((x) => mul(x, x), [x])
 * console.log(passed) // true
 * ```
 */
export async function gradCheck(
  fn: (...inputs: Tensor[]) => Tensor,
  inputs: readonly Tensor[],
  options: GradCheckOptions = {},
): Promise<GradCheckResult> {
  checkFunction('gradCheck', fn)
  const { epsilon = 1e-6, absoluteTolerance = 1e-5, relativeTolerance = 1e-3, seed = 0 } = options
  for (const [name, value] of Object.entries({ epsilon, absoluteTolerance, relativeTolerance })) {
    if (!(value > 0 && value < Infinity)) throw rangeError(`gradCheck: ${name} must be above 0. got ${show(value)}`)
  }
  inputs.forEach((x, i) => {
    checkTensor('gradCheck', `inputs[${i}]`, x)
    if (x.dtype !== 'float64') {
      throw new DTypeError(
        `gradCheck: inputs[${i}] has dtype ${x.dtype}; finite differences need float64. make it with tensor(values, { dtype: 'float64' })`,
      )
    }
  })
  const values = (await Promise.all(inputs.map((x) => x.data()))) as Float64Array[]
  const weights: number[] = []
  const random = new Random(seed)
  const evaluate = async (xs: readonly Tensor[]): Promise<number> => {
    const y = scope(() => noGrad(() => fn(...xs)))
    const data = (await y.data()) as Float64Array
    if (!xs.includes(y)) y.dispose()
    return data.reduce((sum: number, value: number, i: number) => sum + value * weights[i]!, 0)
  }

  const analytic = scope(() =>
    withLeaves(inputs, (leaves) => {
      const y = fn(...inputs)
      checkTensor('gradCheck', 'the result of the function', y)
      while (weights.length < y.size) weights.push(0.5 + random.next())
      const found = y.life.node && flow(y.life.node, tensor(Float64Array.from(weights), { shape: [...y.shape] }))
      return leaves.map((leaf, i) => found?.get(leaf) ?? zeros(inputs[i]!.shape, { dtype: 'float64' }))
    }),
  )
  const gradients = (await Promise.all(analytic.map((gradient) => gradient.data()))) as Float64Array[]
  for (const gradient of analytic) gradient.dispose()

  const perInput: number[] = []
  for (const [i, x] of inputs.entries()) {
    let worst = 0
    for (let element = 0; element < x.size; element++) {
      const at = async (offset: number): Promise<number> => {
        const moved = Float64Array.from(values[i]!)
        moved[element]! += offset
        const other = tensor(moved, { shape: x.shape })
        const result = await evaluate(inputs.map((input) => (input === x ? other : input)))
        other.dispose()
        return result
      }
      const numeric = ((await at(epsilon)) - (await at(-epsilon))) / (2 * epsilon)
      const exact = gradients[i]![element]!
      const scale = Math.max(Math.abs(exact), Math.abs(numeric), absoluteTolerance / relativeTolerance)
      const error = Math.abs(exact - numeric) / scale
      worst = Number.isNaN(error) ? Number.NaN : Math.max(worst, error)
    }
    perInput.push(worst)
  }
  const maxRelativeError = perInput.reduce((max, error) => Math.max(max, error), 0)
  return { maxRelativeError, perInput, passed: maxRelativeError <= relativeTolerance }
}
