// Looking at numbers: how far they spread, and whether they are finite.

import type { Variable } from '../tensor/variable.js'
import type { Probe } from './probe.js'

/** @internal */
export interface Spread {
  readonly min: number
  readonly max: number
  readonly mean: number
}

/** @internal */
export function spreadOf(values: ArrayLike<number>): Spread {
  let [min, max, sum] = [Infinity, -Infinity, 0]
  for (let i = 0; i < values.length; i++) {
    min = Math.min(min, values[i]!)
    max = Math.max(max, values[i]!)
    sum += values[i]!
  }
  return { min, max, mean: sum / values.length }
}

/** @internal The largest magnitude. */
export function reach({ min, max }: Spread): number {
  return Math.max(Math.abs(min), Math.abs(max))
}

/** @internal Says what is not finite: inputs, labels, weights, scores or only the loss. Undefined if all is. */
export async function whereNotFinite(
  probe: Probe,
  weights: readonly Variable[],
  scores: ArrayLike<number>,
  loss: number,
): Promise<string | undefined> {
  const several = probe.inputs.length > 1
  for (const [name, tensor] of [
    ...probe.inputs.map((input, i) => [several ? `x[${i}]` : 'x', input] as const),
    ['y', probe.labels] as const,
  ]) {
    const values = await tensor.data()
    const at = firstBad(values)
    if (at === undefined) continue
    const row = probe.rows[Math.floor((at * probe.rows.length) / values.length)]
    return `${name} holds ${values[at]} (sample ${row}). clean the data`
  }
  for (const weight of weights) {
    const values = await weight.data()
    const at = firstBad(values)
    if (at !== undefined) return `weight "${weight.name}" holds ${values[at]}. make the model anew`
  }
  const at = firstBad(scores)
  if (at !== undefined) {
    return `the scores hold ${scores[at]} although inputs and weights are finite: they overflow on the way. use smaller weights and normalised inputs, or look at layers of your own`
  }
  if (!Number.isFinite(loss)) return `the loss is ${loss} although the scores are finite: look at the loss function`
  return undefined
}

function firstBad(values: ArrayLike<number>): number | undefined {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i]!)) return i
  return undefined
}
