// Weights that keep lengths: matrices with orthonormal rows or columns.

import { rangeError } from '../errors.js'
import { tensor } from '../tensor/create.js'
import { nextSeed, Random } from '../tensor/seed.js'
import { showShape, sizeOf } from '../tensor/shape.js'
import { type Initializer, initializer } from './initializer.js'
import { checkNumber, checkOptions } from './options.js'
import { checkInitializerSeed } from './random.js'

export interface OrthogonalOptions {
  /** Factor on the orthonormal matrix. Default 1. */
  gain?: number
  /** With it, every weight of one shape starts the same; without it, the next seed of `setSeed`'s sequence is used. */
  seed?: number
}

/**
 * A random matrix with orthonormal columns, or rows where it is wider than tall, times `gain`. A weight of higher
 * rank counts as `[everything else, outputs]`. Takes time cubic in the shorter side: 1,000 units take seconds.
 *
 * Source: Saxe, McClelland and Ganguli 2014.
 */
export function orthogonal(options: OrthogonalOptions = {}): Initializer {
  const op = 'initializers.orthogonal'
  checkOptions(op, options, ['gain', 'seed'])
  const { gain = 1, seed } = options
  checkNumber(op, 'gain', gain)
  checkInitializerSeed(op, seed)
  return initializer('orthogonal', { gain, ...(seed !== undefined && { seed }) }, (shape, dtype) => {
    if (shape.length < 2) {
      throw rangeError(`${op}: a weight needs at least two axes to be orthogonal. got shape ${showShape(shape)}`)
    }
    const columns = shape.at(-1)!
    const rows = columns === 0 ? 0 : sizeOf(shape) / columns
    const tall = rows >= columns
    const length = tall ? rows : columns
    const vectors = orthonormal(tall ? columns : rows, length, new Random(seed ?? nextSeed()))
    const values = new Float64Array(rows * columns)
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) values[i * columns + j] = gain * (tall ? vectors[j]![i]! : vectors[i]![j]!)
    }
    return tensor(values, { shape, dtype })
  })
}

/**
 * `count` orthonormal vectors, uniform over all such: normal numbers, from each vector what earlier ones already
 * span taken away, twice, because once leaves rounding errors behind (Kahan's "twice is enough", Parlett 1980).
 */
function orthonormal(count: number, length: number, random: Random): Float64Array[] {
  const vectors: Float64Array[] = []
  while (vectors.length < count) {
    const v = Float64Array.from({ length }, () => standardNormal(random))
    const before = Math.sqrt(dot(v, v))
    for (let pass = 0; pass < 2; pass++) {
      for (const u of vectors) {
        const along = dot(u, v)
        for (let i = 0; i < length; i++) v[i]! -= along * u[i]!
      }
    }
    const norm = Math.sqrt(dot(v, v))
    // Almost in the span of the others: what is left is noise, so draw again.
    if (norm < 1e-10 * before) continue
    for (let i = 0; i < length; i++) v[i]! /= norm
    vectors.push(v)
  }
  return vectors
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

/** A standard normal number (Box and Muller 1958). The native ones cannot be read without waiting. */
function standardNormal(random: Random): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random.next()))
  return radius * Math.cos(2 * Math.PI * random.next())
}
