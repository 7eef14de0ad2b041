// All hyperparameters together: drawing them, and narrowing them down.

import { seedOfPass } from '../data/order.js'
import { show, typeError } from '../errors.js'
import { Random } from '../tensor/seed.js'
import { Range } from './range.js'

/** A range for each hyperparameter, by its name. */
export type Space = { readonly [name: string]: Range<unknown> }

/** What is drawn from a space: a value for each name. */
export type ParamsOf<S extends Space> = { readonly [K in keyof S]: S[K] extends Range<infer T> ? T : never }

/** Values by name, whatever the space. */
export type Params = { readonly [name: string]: unknown }

/** @internal Throws unless `space` has a range for each name. */
export function checkSpace(op: string, space: unknown): Space {
  if (typeof space !== 'object' || space === null || Array.isArray(space)) {
    throw typeError(
      `${op}: space must be an object with a range for each hyperparameter, such as { learningRate: search.logUniform(1e-5, 1e-1) }. got ${show(space)}`,
    )
  }
  const entries = Object.entries(space)
  if (entries.length === 0) {
    throw typeError(`${op}: space is empty. give it a range, such as learningRate: search.logUniform(1e-5, 1e-1)`)
  }
  for (const [name, range] of entries) {
    if (range instanceof Range) continue
    throw typeError(
      `${op}: space.${name} must be search.uniform, search.logUniform, search.integer or search.choice. got ${show(range)}. a fixed value is search.choice([value])`,
    )
  }
  return { ...space } as Space
}

/** Names in an order that does not depend on how the space was written down. */
const namesOf = (space: Space): string[] => Object.keys(space).sort()

/** @internal The seed and the values of one trial. They depend on nothing but these arguments. */
export function drawTrial(space: Space, seed: number, index: number): { seed: number; params: Params } {
  const random = new Random(seedOfPass(seed, 2 * index + 1))
  const drawn = new Map(namesOf(space).map((name) => [name, space[name]!.draw(random)]))
  const params = Object.fromEntries(Object.keys(space).map((name) => [name, drawn.get(name)]))
  return { seed: seedOfPass(seed, 2 * index), params }
}

/** @internal What tells a space from others, as plain data. */
export function describeSpace(space: Space): Params {
  return Object.fromEntries(namesOf(space).map((name) => [name, space[name]!.toJSON()]))
}

/**
 * @internal The space of a fine search. `ranked` are the values of the trials of the coarse one, the best first: a
 * quarter of them, and no fewer than two if there are, say where to look.
 */
export function narrowSpace(space: Space, ranked: readonly Params[]): Space {
  const good = ranked.slice(0, Math.max(2, Math.ceil(ranked.length / 4)))
  return Object.fromEntries(
    Object.entries(space).map(([name, range]) => [
      name,
      range.narrowed(
        good.map((params) => params[name]),
        good[0]![name],
      ),
    ]),
  )
}

/** @internal A sentence for each parameter whose best value lies at the edge of its range. */
export function edgeWarnings(space: Space, best: Params): string[] {
  return Object.entries(space).flatMap(([name, range]) => {
    const edge = range.edgeAt(best[name])
    if (edge === undefined) return []
    return `${name}: the best value ${showParam(best[name])} lies at the ${edge.side} edge of its range, ${edge.range}, so better ones may lie beyond it. widen it: ${edge.wider}`
  })
}

/** @internal `1.41e-4`, `0.25`, `64`, `relu` */
export function showParam(value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value !== 'number') return JSON.stringify(value)
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return String(value)
  const size = Math.abs(value)
  return size < 0.01 || size >= 1e6 ? value.toExponential(2) : value.toPrecision(3)
}

/** @internal `learningRate: 1.41e-4, units: 64` */
export function showParams(params: Params): string {
  return Object.entries(params)
    .map(([name, value]) => `${name}: ${showParam(value)}`)
    .join(', ')
}
