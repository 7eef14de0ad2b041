// Weights drawn from one distribution, whatever their shape.

import { rangeError, show } from '../errors.js'
import { randomNormal as normal } from '../ops/random-normal.js'
import { randomUniform as uniform } from '../ops/random-uniform.js'
import { truncatedNormal as truncated } from '../ops/truncated-normal.js'
import { checkSeed, nextSeed } from '../tensor/seed.js'
import { type Initializer, initializer } from './initializer.js'
import { checkNumber, checkOptions } from './options.js'

export interface NormalOptions {
  /** Default 0. */
  mean?: number
  /** Default 0.05. */
  stdDev?: number
  /** With it, every weight of one shape starts the same; without it, the next seed of `setSeed`'s sequence is used. */
  seed?: number
}

export interface UniformOptions {
  /** Default -0.05. */
  min?: number
  /** Never reached. Default 0.05. */
  max?: number
  /** With it, every weight of one shape starts the same; without it, the next seed of `setSeed`'s sequence is used. */
  seed?: number
}

/** Normal numbers. */
export function randomNormal(options: NormalOptions = {}): Initializer {
  const checked = checkNormal('initializers.randomNormal', options)
  const { mean, stdDev, seed } = checked
  return initializer('randomNormal', checked, (shape, dtype) =>
    normal(shape, { mean, stdDev, seed: seed ?? nextSeed(), dtype }),
  )
}

/** Normal numbers, those farther than two `stdDev` from the mean drawn again (which leaves 0.88 `stdDev`). */
export function truncatedNormal(options: NormalOptions = {}): Initializer {
  const checked = checkNormal('initializers.truncatedNormal', options)
  const { mean, stdDev, seed } = checked
  return initializer('truncatedNormal', checked, (shape, dtype) =>
    truncated(shape, { mean, stdDev, seed: seed ?? nextSeed(), dtype }),
  )
}

/** Uniform numbers from `min` up to but not including `max`. */
export function randomUniform(options: UniformOptions = {}): Initializer {
  const op = 'initializers.randomUniform'
  checkOptions(op, options, ['min', 'max', 'seed'])
  const { min = -0.05, max = 0.05, seed } = options
  checkNumber(op, 'min', min)
  checkNumber(op, 'max', max)
  if (max < min) throw rangeError(`${op}: max must not be below min. got min ${show(min)}, max ${show(max)}`)
  checkInitializerSeed(op, seed)
  return initializer('randomUniform', { min, max, ...(seed !== undefined && { seed }) }, (shape, dtype) =>
    uniform(shape, { min, max, seed: seed ?? nextSeed(), dtype }),
  )
}

function checkNormal(op: string, options: NormalOptions): { mean: number; stdDev: number; seed?: number } {
  checkOptions(op, options, ['mean', 'stdDev', 'seed'])
  const { mean = 0, stdDev = 0.05, seed } = options
  checkNumber(op, 'mean', mean)
  checkNumber(op, 'stdDev', stdDev, 0)
  checkInitializerSeed(op, seed)
  return { mean, stdDev, ...(seed !== undefined && { seed }) }
}

/** @internal */
export function checkInitializerSeed(op: string, seed: number | undefined): void {
  if (seed !== undefined) checkSeed(op, seed)
}
