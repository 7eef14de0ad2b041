// What the convolutions in a layer run by, as a summary says it.

import type { FloatDType } from '../initializers/initializer.js'
import type { Algorithms } from '../ops/conv2d.js'
import type { Shape } from './shape.js'

/** @internal Asks `ask` for one image of the input's shape, if all its sizes are known and kernels choose by them. */
export function algorithmsFor(
  dtype: FloatDType,
  inputShape: Shape,
  ask: (shape: readonly number[]) => Algorithms,
): Algorithms {
  if (dtype === 'float64') return everyDirection('reference')
  const sizes = inputShape.slice(1)
  if (sizes.includes(null)) return everyDirection('by size')
  return ask([1, ...(sizes as number[])])
}

/** @internal Of a layer that runs one convolution after the other. */
export function oneAfterTheOther(first: Algorithms, second: Algorithms): Algorithms {
  const both = (i: 0 | 1 | 2) => (first[i] === second[i] ? first[i] : `${first[i]} + ${second[i]}`)
  return [both(0), both(1), both(2)]
}

/** @internal `winograd4`, or `direct / thin / direct` where the directions differ. */
export function showAlgorithms(algorithms: Algorithms | undefined): string {
  if (algorithms === undefined) return ''
  return new Set(algorithms).size === 1 ? algorithms[0] : algorithms.join(' / ')
}

function everyDirection(name: string): Algorithms {
  return [name, name, name]
}
