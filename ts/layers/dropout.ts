// Dropout.

import { rangeError, show } from '../errors.js'
import { checkNumber, checkOptions } from '../initializers/options.js'
import { dropout as drop } from '../ops/index.js'
import { checkSeed, nextSeed, Random } from '../tensor/seed.js'
import type { Tensor } from '../tensor/tensor.js'
import { Layer, type LayerOptions } from './layer.js'
import { checkSingle, exampleSize, type Shape } from './shape.js'

export interface DropoutOptions extends LayerOptions {
  /** The share of numbers that become 0, from 0 up to but not including 1. */
  rate: number
  /** Starts a sequence of its own; without it the one of `setSeed` is used. */
  seed?: number
}

export class Dropout extends Layer {
  readonly rate: number
  readonly seed: number | undefined
  /** @internal How many masks were drawn from its own sequence. */
  override $drawn = 0
  /** @internal Whether it lets everything through in training too: sanity checks look at the network without it. */
  $idle = false

  constructor(options: DropoutOptions) {
    checkOptions('dropout', options, ['name', 'trainable', 'inputShape', 'rate', 'seed'])
    super(options)
    this.rate = checkNumber(this.$label, 'rate', options.rate, 0)
    if (this.rate >= 1) {
      throw rangeError(`${this.$label}: rate must be below 1: the share that is dropped. got ${show(this.rate)}`)
    }
    this.seed = options.seed === undefined ? undefined : checkSeed(this.$label, options.seed)
  }

  override get kind(): string {
    return 'dropout'
  }

  override build(inputShape: Shape | readonly Shape[]): void {
    checkSingle(this.$label, inputShape)
  }

  override forward(x: Tensor, { training }: { training: boolean }): Tensor {
    if (!training || this.rate === 0 || this.$idle) return x
    return drop(x, { rate: this.rate, seed: this.maskSeed() })
  }

  private maskSeed(): number {
    if (this.seed === undefined) return nextSeed()
    const start = Math.floor(new Random(this.seed).next() * 2 ** 53)
    return (start + this.$drawn++) % 2 ** 53
  }

  override flops(): number {
    return 0
  }

  /** @internal */
  override $kept(inputShape: Shape): number | undefined {
    return this.rate === 0 ? 0 : exampleSize(inputShape)
  }

  /** @internal Outside training the result is the input. */
  override $volume(): number {
    return 0
  }
}

/**
 * While training, sets each number to 0 with probability `rate` and divides the others by 1 − `rate`; otherwise changes
 * nothing. Every forward pass draws another mask. Keeps the shape. Source: Srivastava et al. 2014.
 */
export function dropout(options: DropoutOptions): Dropout {
  return new Dropout(options)
}
