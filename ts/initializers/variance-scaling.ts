// Weights whose spread follows from how many inputs or outputs a unit has, so that signals keep their size in depth.

import { randomNormal } from '../ops/random-normal.js'
import { randomUniform } from '../ops/random-uniform.js'
import { truncatedNormal } from '../ops/truncated-normal.js'
import { nextSeed } from '../tensor/seed.js'
import { type FloatDType, type Initializer, initializer } from './initializer.js'
import { checkChoice, checkNumber, checkOptions } from './options.js'
import { checkInitializerSeed } from './random.js'

const modes = ['fanIn', 'fanOut', 'fanAvg'] as const
const distributions = ['normal', 'uniform', 'truncatedNormal'] as const

export interface VarianceScalingOptions {
  /** Default 1. */
  scale?: number
  /** Which connections count: a unit's inputs, its outputs, or their mean. Default 'fanIn'. */
  mode?: (typeof modes)[number]
  /** Default 'truncatedNormal'. */
  distribution?: (typeof distributions)[number]
  /** With it, every weight of one shape starts the same; without it, the next seed of `setSeed`'s sequence is used. */
  seed?: number
}

export interface SeedOptions {
  /** With it, every weight of one shape starts the same; without it, the next seed of `setSeed`'s sequence is used. */
  seed?: number
}

/** What is left of the standard deviation of a normal distribution that is cut off at two of them. */
const TRUNCATED = 0.8796256610342398

/**
 * Random weights of mean 0 and standard deviation √(`scale` / fan), also after truncation. The fans of a weight
 * `[..., inputs, outputs]` are the area of the leading axes times `inputs` and times `outputs`: 1 for a dense
 * kernel, height · width for a convolution's. A convolution in groups has C / groups inputs.
 *
 * @example
 * ```ts
 * import { initializers, layers } from 'ferrograd'
 * const kernelInitializer = initializers.varianceScaling({ scale: 2, mode: 'fanOut', distribution: 'normal' })
 * const layer = layers.conv2d({ filters: 8, kernelSize: 3, kernelInitializer })
 * console.log(layer.kind) // conv2d
 * ```
 */
export function varianceScaling(options: VarianceScalingOptions = {}): Initializer {
  const op = 'initializers.varianceScaling'
  checkOptions(op, options, ['scale', 'mode', 'distribution', 'seed'])
  const { scale = 1, mode = 'fanIn', distribution = 'truncatedNormal', seed } = options
  checkNumber(op, 'scale', scale, 0, true)
  checkChoice(op, 'mode', mode, modes)
  checkChoice(op, 'distribution', distribution, distributions)
  checkInitializerSeed(op, seed)
  return scaled(
    'varianceScaling',
    { scale, mode, distribution, ...(seed !== undefined && { seed }) },
    { scale, mode, distribution, seed },
  )
}

/** Truncated normal with standard deviation √(2 / fanIn): for rectifiers. Source: He et al. 2015. */
export function heNormal(options: SeedOptions = {}): Initializer {
  return preset('heNormal', options, 2, 'fanIn', 'truncatedNormal')
}

/** Uniform in ±√(6 / fanIn), standard deviation √(2 / fanIn): for rectifiers. Source: He et al. 2015. */
export function heUniform(options: SeedOptions = {}): Initializer {
  return preset('heUniform', options, 2, 'fanIn', 'uniform')
}

/** Truncated normal with standard deviation √(2 / (fanIn + fanOut)). Source: Glorot and Bengio 2010. */
export function glorotNormal(options: SeedOptions = {}): Initializer {
  return preset('glorotNormal', options, 1, 'fanAvg', 'truncatedNormal')
}

/**
 * Uniform in ±√(6 / (fanIn + fanOut)): the default of every kernel. Source: Glorot and Bengio 2010.
 */
export function glorotUniform(options: SeedOptions = {}): Initializer {
  return preset('glorotUniform', options, 1, 'fanAvg', 'uniform')
}

/** Truncated normal with standard deviation √(1 / fanIn). Source: LeCun et al. 1998. */
export function lecunNormal(options: SeedOptions = {}): Initializer {
  return preset('lecunNormal', options, 1, 'fanIn', 'truncatedNormal')
}

/** Normal with standard deviation √(1 / fanIn), not truncated: `randn / √fanIn` of the course CS231n. */
export function xavier(options: SeedOptions = {}): Initializer {
  return preset('xavier', options, 1, 'fanIn', 'normal')
}

type Scaling = Required<Omit<VarianceScalingOptions, 'seed'>> & { seed: number | undefined }

function preset(
  kind: string,
  options: SeedOptions,
  scale: number,
  mode: Scaling['mode'],
  distribution: Scaling['distribution'],
): Initializer {
  const op = `initializers.${kind}`
  checkOptions(op, options, ['seed'])
  checkInitializerSeed(op, options.seed)
  return scaled(kind, options, { scale, mode, distribution, seed: options.seed })
}

function scaled(kind: string, kept: object, { scale, mode, distribution, seed }: Scaling): Initializer {
  return initializer(kind, kept, (shape, dtype) => {
    const { fanIn, fanOut } = fansOf(shape)
    const fan = mode === 'fanIn' ? fanIn : mode === 'fanOut' ? fanOut : (fanIn + fanOut) / 2
    // A weight without elements has no fan either.
    const stdDev = Math.sqrt(scale / Math.max(fan, 1))
    return draw(shape, distribution, stdDev, seed ?? nextSeed(), dtype)
  })
}

function draw(
  shape: readonly number[],
  distribution: Scaling['distribution'],
  stdDev: number,
  seed: number,
  dtype: FloatDType,
) {
  switch (distribution) {
    case 'normal':
      return randomNormal(shape, { mean: 0, stdDev, seed, dtype })
    case 'truncatedNormal':
      return truncatedNormal(shape, { mean: 0, stdDev: stdDev / TRUNCATED, seed, dtype })
    case 'uniform': {
      const limit = stdDev * Math.sqrt(3)
      return randomUniform(shape, { min: -limit, max: limit, seed, dtype })
    }
  }
}

/** @internal How many inputs reach a unit of this weight, and how many outputs an input reaches. */
export function fansOf(shape: readonly number[]): { fanIn: number; fanOut: number } {
  const outputs = shape.at(-1) ?? 1
  const inputs = shape.at(-2) ?? outputs
  const area = shape.slice(0, -2).reduce((product, size) => product * size, 1)
  return { fanIn: area * inputs, fanOut: area * outputs }
}
