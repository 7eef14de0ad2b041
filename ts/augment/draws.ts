// Where the random numbers of augmentations come from.

import { rangeError, ShapeError, show, typeError } from '../errors.js'
import { checkCount, checkOptions } from '../initializers/options.js'
import { checkSeed, mixSeed, nextSeed, Random } from '../tensor/seed.js'

/** Which random numbers an augmentation uses: a function of these three and of nothing else. */
export interface AugmentOptions {
  /** A whole number from 0 to 2^53 - 1. Default: the next of the sequence that `setSeed` starts. */
  seed?: number | undefined
  /**
   * The number of each sample in the data set. With them a sample is changed in the same way whatever batch it is in.
   * Default: its place in the batch.
   */
  samples?: ArrayLike<number> | undefined
  /** Which time through the data it is: every pass changes the samples in other ways. Default 0. */
  pass?: number | undefined
}

/** @internal One source of random numbers for each sample of a batch. */
export class Draws {
  readonly count: number
  private readonly key: number

  constructor(
    seed: number,
    pass: number,
    private readonly samples: ArrayLike<number>,
  ) {
    this.count = samples.length
    this.key = mixSeed(seed, pass + 1)
  }

  /** What `draw` makes of the random numbers of each sample. */
  map<T>(draw: (random: Random) => T): T[] {
    return Array.from({ length: this.count }, (_, i) => draw(new Random(mixSeed(this.key, this.samples[i]! + 1))))
  }
}

/** @internal For `count` samples. */
export function takeDraws(op: string, count: number, options: AugmentOptions): Draws {
  checkOptions(op, options, ['seed', 'samples', 'pass'])
  const { seed, samples, pass = 0 } = options
  checkCount(op, 'pass', pass, 0)
  const from = seed === undefined ? nextSeed() : checkSeed(op, seed)
  return new Draws(from, pass, samples === undefined ? numbered(count) : checkSamples(op, count, samples))
}

/** @internal The samples of a batch that come from nowhere in particular. */
export function numbered(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i)
}

function checkSamples(op: string, count: number, samples: unknown): ArrayLike<number> {
  if (!Array.isArray(samples) && !(ArrayBuffer.isView(samples) && 'length' in samples)) {
    throw typeError(`${op}: samples must be an array with the number of each sample. got ${show(samples)}`)
  }
  const numbers = samples as unknown as ArrayLike<unknown>
  if (numbers.length !== count) {
    throw new ShapeError(
      `${op}: samples has ${numbers.length} numbers, but the batch has ${count} samples. give one for each`,
    )
  }
  for (let i = 0; i < count; i++) {
    const number = numbers[i]
    if (!Number.isSafeInteger(number) || (number as number) < 0) {
      throw rangeError(`${op}: samples must be whole numbers from 0. got ${show(number)} at position ${i}`)
    }
  }
  return numbers as ArrayLike<number>
}
