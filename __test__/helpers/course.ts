// Numbers of the CS231n assignments, from ../shared/data beside the repository. Without them the tests are skipped.

import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { type DType, type Tensor, tensor } from 'ferrograd'

interface Numbers {
  shape: number[]
  data: number[]
}

export interface CourseVector {
  id: string
  inputs: Record<string, Numbers>
  expected: Record<string, Numbers | number>
}

/** What a vector is tested in. */
export type Precision = 'float64' | 'float32'

const file = fileURLToPath(new URL('../../../shared/data/cs231n/vectors.json', import.meta.url))
const course: { vectors: CourseVector[]; gradient_checks: { id: string }[] } = existsSync(file)
  ? JSON.parse(readFileSync(file, 'utf8'))
  : { vectors: [], gradient_checks: [] }
const { vectors } = course

/** Registers two tests of one of the course's vectors, one in each precision. */
export function testCourse(
  id: string,
  body: (t: ExecutionContext, vector: CourseVector, precision: Precision) => Promise<void>,
): void {
  if (vectors.length === 0) {
    test.skip(`the course's ${id}: no ${file}`, () => {})
    return
  }
  for (const precision of ['float64', 'float32'] as const) {
    test(`the course's ${id} in ${precision}`, async (t) => {
      const vector = vectors.find((candidate) => candidate.id === id)
      if (vector === undefined) return t.fail(`there is no vector ${id}`)
      await body(t, vector, precision)
    })
  }
}

/** The names of all vectors; none without the file. */
export const courseIds: readonly string[] = vectors.map(({ id }) => id)
/** The names of all gradient checks; none without the file. */
export const gradientCheckIds: readonly string[] = course.gradient_checks.map(({ id }) => id)

/**
 * Asserts what is expected under this name: in float64 to the last of the decimals that the course prints, in float32
 * within 1e-4, relative, or 1e-6 near 0.
 */
export function assertCourse(
  t: ExecutionContext,
  vector: CourseVector,
  name: string,
  got: readonly number[],
  precision: Precision,
  decimals = 8,
): void {
  const want = courseNumbers(vector, name)
  const allowed = (value: number) =>
    precision === 'float64' ? 0.51 * 10 ** -decimals : Math.max(1e-6, 1e-4 * Math.abs(value))
  t.is(got.length, want.length, name)
  const at = got.findIndex((value, i) => !(Math.abs(value - want[i]!) <= allowed(want[i]!)))
  if (at !== -1) t.fail(`${name} [${at}]: ${got[at]} instead of ${want[at]}`)
}

/** An input as a tensor. */
export function courseTensor(vector: CourseVector, name: string, dtype: DType): Tensor {
  const { shape, data } = vector.inputs[name]!
  return tensor(data, { shape, dtype })
}

/** The numbers that are expected under this name. */
export function courseNumbers(vector: CourseVector, name: string): number[] {
  const expected = vector.expected[name]!
  return typeof expected === 'number' ? [expected] : expected.data
}

/** An input `[N, C, H, W]`, which the course uses, as a tensor `[N, H, W, C]`. */
export function courseImages(vector: CourseVector, name: string, dtype: DType): Tensor {
  const { shape, data } = channelsLast(vector.inputs[name]!)
  return tensor(data, { shape, dtype })
}

/** `[N, C, H, W]` numbers, which the course uses, as `[N, H, W, C]`. */
export function channelsLast({ shape, data }: Numbers): Numbers {
  const [n, c, h, w] = shape as [number, number, number, number]
  const moved = Array.from(data)
  for (let image = 0; image < n; image++) {
    for (let channel = 0; channel < c; channel++) {
      for (let pixel = 0; pixel < h * w; pixel++) {
        moved[(image * h * w + pixel) * c + channel] = data[(image * c + channel) * h * w + pixel]!
      }
    }
  }
  return { shape: [n, h, w, c], data: moved }
}

/** Mean and standard deviation (of the population) of each column of rows of `columns`. */
export function columnStatistics(data: readonly number[], columns: number): { means: number[]; deviations: number[] } {
  const rows = data.length / columns
  const column = (c: number) => data.filter((_, i) => i % columns === c)
  const mean = (values: number[]) => values.reduce((sum, v) => sum + v, 0) / rows
  const means = Array.from({ length: columns }, (_, c) => mean(column(c)))
  const deviations = means.map((m, c) => Math.sqrt(mean(column(c).map((v) => (v - m) ** 2))))
  return { means, deviations }
}
