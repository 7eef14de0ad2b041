// Tensors for tests, and comparisons of what comes out.

import type { ExecutionContext } from 'ava'
import { cast, type DType, randomNormal, type Tensor, tensor } from 'ferrograd'

/** The elements as plain numbers. */
export async function values(x: Tensor): Promise<number[]> {
  return [...(await x.data())]
}

/** Numbers without a pattern between -1 and 1. */
export function numbers(shape: readonly number[], seed = 1, dtype: DType = 'float64'): Tensor {
  const size = shape.reduce((product, dimension) => product * dimension, 1)
  const values = Float64Array.from({ length: size }, (_, i) => Math.sin(12.9898 * (i + 1) + 78.233 * seed))
  return tensor(dtype === 'float64' ? values : Float32Array.from(values), { shape })
}

/** Normal numbers, rows of which depend on each other in no way. */
export function normal(shape: readonly number[], seed: number, dtype: DType = 'float64'): Tensor {
  return cast(randomNormal(shape, { seed }), { dtype })
}

/** Whether two numbers are equal but for `tolerance`, relative to the larger of 1 and the wanted one. */
export function near(got: number, want: number, tolerance: number): boolean {
  if (Object.is(got, want) || got === want) return true
  return Math.abs(got - want) <= tolerance * Math.max(1, Math.abs(want))
}

/** Asserts that all numbers are near. */
export function assertNear(
  t: ExecutionContext,
  got: readonly number[],
  want: readonly number[],
  tolerance: number,
  what = '',
): void {
  t.is(got.length, want.length, what)
  const at = got.findIndex((value, i) => !near(value, want[i]!, tolerance))
  if (at !== -1) t.fail(`${what} [${at}]: ${got[at]} instead of ${want[at]}`)
}
