// What every optimizer must do.

import test from 'ava'
import {
  add,
  backward,
  type DType,
  mul,
  type Optimizer,
  scope,
  sum,
  type Tensor,
  tensor,
  type Variable,
  variable,
} from 'ferrograd'
import { assertNear, numbers, values } from './values.js'

/** The rule for one weight: made anew for each, with whatever it remembers. `t` counts steps from 1. */
export type Rule = () => (w: number, g: number, t: number) => number

interface Definition<Options> {
  name: string
  make: (options?: Options) => Optimizer
  /** Options and the rule that they stand for. */
  cases: [options: Options | undefined, rule: Rule][]
  /** Options that mean nothing and what is said of them, after the optimizer's name. */
  refused: [options: unknown, kind: RangeErrorConstructor | TypeErrorConstructor, message: string][]
}

const shapes = [[3, 4], [5], [], [0], [17_000]]

/** One step along these gradients, each for the variable of the same place. */
export function stepAlong(optimizer: Optimizer, variables: readonly Variable[], gradients: readonly Tensor[]): void {
  scope(() => {
    // The gradient of the sum of w · g is g.
    const parts = variables.map((w, i) => sum(mul(w, gradients[i]!)))
    optimizer.step(backward(parts.reduce((a, b) => add(a, b))))
  })
}

/** Variables of all shapes with numbers between -1 and 1. */
export const variablesOf = (dtype: DType): Variable[] =>
  shapes.map((shape, i) => variable(numbers(shape, i + 1, dtype), { name: `w${i}` }))

/** The gradients of step `t`. Some are large, some 0. */
export const gradientsOf = (t: number, dtype: DType): Tensor[] =>
  shapes.map((shape, i) => mul(numbers(shape, 10 * t + i, dtype), tensor(i === 1 ? 30 : 1, { dtype })))

/** Registers the tests of one optimizer. */
export function testOptimizer<Options>({ name, make, cases, refused }: Definition<Options>): void {
  for (const [options, rule] of cases) {
    for (const dtype of ['float32', 'float64'] as const) {
      test(`${name}(${JSON.stringify(options) ?? ''}): ten steps are those of its rule, in ${dtype}`, async (t) => {
        const optimizer = make(options)
        const variables = variablesOf(dtype)
        const expected = await Promise.all(variables.map(values))
        const rules = expected.map((all) => all.map(rule))
        for (let step = 1; step <= 10; step++) {
          const gradients = gradientsOf(step, dtype)
          stepAlong(optimizer, variables, gradients)
          t.is(optimizer.iterations, step)
          for (const [i, gradient] of gradients.entries()) {
            const gs = await values(gradient)
            expected[i] = expected[i]!.map((w, at) => rules[i]![at]!(w, gs[at]!, step))
            const found = await values(variables[i]!)
            assertNear(t, found, expected[i]!, dtype === 'float32' ? 4e-6 : 1e-12, `step ${step}, variable ${i}`)
          }
        }
      })
    }
  }

  test(`${name} goes on from its state as if it had never stopped`, async (t) => {
    for (const [options] of cases) {
      const [one, other] = [make(options), make(options)]
      const [firsts, seconds] = [variablesOf('float32'), variablesOf('float32')]
      const run = (optimizer: Optimizer, variables: Variable[], from: number, to: number) => {
        for (let step = from; step < to; step++) stepAlong(optimizer, variables, gradientsOf(step, 'float32'))
      }
      run(one, firsts, 0, 3)
      const state = one.state()
      t.is(state.iterations, 3)
      run(one, firsts, 3, 6)
      run(make(options), seconds, 0, 3)
      other.load(state)
      for (const { slots } of state.variables) for (const slot of Object.values(slots)) slot.dispose()
      run(other, seconds, 3, 6)
      for (const [i, w] of firsts.entries())
        t.deepEqual(await values(seconds[i]!), await values(w), JSON.stringify(options))
    }
  })

  test(`${name} refuses options that mean nothing`, (t) => {
    const rate = 'learningRate must be a number from 0'
    const common: Definition<Options>['refused'] = [
      [{ learningRate: -0.1 }, RangeError, `${rate}. got -0.1`],
      [{ learningRate: Number.NaN }, RangeError, `${rate}. got NaN`],
      [{ learningRate: Infinity }, RangeError, `${rate}. got Infinity`],
      [{ learningRate: '0.1' }, TypeError, `${rate} or a schedule. got "0.1"`],
      [{ learningRate: {} }, TypeError, `${rate} or a schedule. got an object`],
      [{ clipNorm: 0 }, RangeError, 'clipNorm must be above 0. got 0'],
      [{ clipValue: -1 }, RangeError, 'clipValue must be above 0. got -1'],
      [{ globalClipNorm: Number.NaN }, RangeError, 'globalClipNorm must be above 0. got NaN'],
      [{ clipNorm: Infinity }, RangeError, 'clipNorm must be above 0. got Infinity'],
      [{ clipNorm: '1' }, TypeError, 'clipNorm must be a number. got "1"'],
      [{ clipNorm: 1, clipValue: 1 }, TypeError, 'clipValue and clipNorm exclude each other. give one of them'],
      [
        { clipNorm: 1, globalClipNorm: 1 },
        TypeError,
        'clipNorm and globalClipNorm exclude each other. give one of them',
      ],
      [null, TypeError, 'expects an options object. got null'],
    ]
    for (const [options, instanceOf, message] of [...common, ...refused]) {
      const code = instanceOf === RangeError ? 'ERR_OUT_OF_RANGE' : 'ERR_INVALID_ARG_TYPE'
      t.throws(() => make(options as Options), { instanceOf, code, message: `${name}: ${message}` })
    }
  })
}

/** What is said of an option that must be a share. */
export function refusedShares(...names: string[]): Definition<unknown>['refused'] {
  return names.flatMap((name): Definition<unknown>['refused'] => [
    [{ [name]: 1 }, RangeError, `${name} must be from 0 up to but not including 1. got 1`],
    [{ [name]: 1.5 }, RangeError, `${name} must be from 0 up to but not including 1. got 1.5`],
    [{ [name]: -0.1 }, RangeError, `${name} must be 0 or more. got -0.1`],
    [{ [name]: Number.NaN }, RangeError, `${name} must be 0 or more. got NaN`],
    [{ [name]: '0.9' }, TypeError, `${name} must be a number. got "0.9"`],
  ])
}

/** What is said of an option that must be above 0. */
export function refusedPositive(...names: string[]): Definition<unknown>['refused'] {
  return names.flatMap((name): Definition<unknown>['refused'] =>
    [0, -1e-7, Number.NaN, Infinity].map((value) => [
      { [name]: value },
      RangeError,
      `${name} must be above 0. got ${value}`,
    ]),
  )
}

/** What is said of an option that must not be negative. */
export function refusedNegative(...names: string[]): Definition<unknown>['refused'] {
  return names.flatMap((name): Definition<unknown>['refused'] =>
    [-0.1, Number.NaN, Infinity].map((value) => [
      { [name]: value },
      RangeError,
      `${name} must be 0 or more. got ${value}`,
    ]),
  )
}
