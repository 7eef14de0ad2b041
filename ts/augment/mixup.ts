// Samples mixed with others, and their labels with them.

import { rangeError, ShapeError, typeError } from '../errors.js'
import { checkCount, checkNumber, checkOptions } from '../initializers/options.js'
import { native } from '../native/index.js'
import { oneHot } from '../ops/index.js'
import { isFloat } from '../tensor/dtype.js'
import { scope } from '../tensor/scope.js'
import { showShape } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import { type Augmentation, type AugmentBatch, checkBatch } from './augmentation.js'
import { beta } from './beta.js'
import { type AugmentOptions, type Draws, takeDraws } from './draws.js'
import { checkPixels } from './images.js'
import { mixSamples, type Pair } from './mix-samples.js'

export interface MixupOptions {
  /** Shares come from Beta(alpha, alpha): the larger, the more even the mixtures. Default 0.2. */
  alpha?: number
  /** How many classes there are. Needed for labels that are class indices. */
  classes?: number
}

class Mixup implements Augmentation {
  constructor(
    private readonly alpha: number,
    private readonly classes: number | undefined,
  ) {}

  apply<Batch extends AugmentBatch>(batch: Batch, options: AugmentOptions = {}): Batch {
    checkBatch(op, batch)
    const { xs, ys } = batch
    checkPixels(op, 'xs', xs)
    if (xs.shape.length === 0) throw new ShapeError(`${op}: xs has shape [], so it has no samples`)
    if (ys === undefined) {
      throw typeError(`${op}: the batch needs ys: the labels are mixed like the inputs. got only xs`)
    }
    if (ys.shape[0] !== xs.shape[0]) {
      throw new ShapeError(
        `${op}: there are ${xs.shape[0]} samples, but ${ys.shape[0] ?? 'no'} labels. xs ${showShape(xs.shape)}, ys ${showShape(ys.shape)}`,
      )
    }
    const pairs = this.pairs(takeDraws(op, xs.shape[0]!, options))
    return {
      ...batch,
      ...scope(() => ({ xs: mixSamples(op, xs, pairs), ys: mixSamples(op, this.soft(ys, xs), pairs) })),
    }
  }

  /** Everybody's partner is the next in a random order, the last one's the first: so nobody is left with themselves. */
  private pairs(draws: Draws): Pair[] {
    const drawn = draws.map((random) => ({ key: random.next(), share: beta(random, this.alpha) }))
    const order = drawn.map((_, sample) => sample).sort((a, b) => drawn[a]!.key - drawn[b]!.key || a - b)
    const partner = new Map(order.map((sample, place) => [sample, order[(place + 1) % order.length]!]))
    return drawn.map(({ share }, sample) => {
      const other = partner.get(sample)!
      return { partner: other, share: other === sample ? 1 : share }
    })
  }

  /** Labels that can be mixed. */
  private soft(ys: Tensor, xs: Tensor): Tensor {
    if (isFloat(ys.dtype)) return ys
    const { classes } = this
    if (classes === undefined) {
      throw typeError(
        `${op}: labels that are class indices need classes, how many there are, to be mixed. ys ${ys.dtype} ${showShape(ys.shape)}. give mixup({ classes }), or labels as rows of probabilities: oneHot(ys, { depth: classes })`,
      )
    }
    const [position, label] = native.findBadClass(ys.handle, classes)
    if (label !== undefined) {
      throw rangeError(
        `${op}: label ${label} (element ${position}) is no class: classes are numbered from 0 to ${classes - 1}. ys ${showShape(ys.shape)}`,
      )
    }
    return oneHot(ys, { depth: classes, dtype: xs.dtype === 'float64' ? 'float64' : 'float32' })
  }
}

const op = 'augment.mixup'

/**
 * Mixes each sample with another of its batch, and their labels in the same proportion: share · one + (1 − share) · the
 * other, with a share of its own from Beta(alpha, alpha). With whom depends on which samples are in the batch, never on
 * their order.
 *
 * `xs` `[N, …]`, uint8 (rounded to the nearest), float32 or float64; shape and dtype stay. `ys`: class indices `[N]`, int32
 * or uint8, become probabilities `[N, classes]`; labels that are floats, one-hot for instance, are mixed as they are.
 * `losses.softmaxCrossEntropy` takes such labels. Judge a model by the training accuracy no more: a mixture has two
 * right answers, of which only the larger one counts.
 *
 * Source: Zhang et al. 2018.
 *
 * @example
 * ```ts
 * import { augment, tensor } from 'ferrograd'
 * const xs = tensor([[0], [1]])
 * const ys = tensor([0, 1], { dtype: 'int32' })
 * const mixed = augment.mixup({ alpha: 1, classes: 2 }).apply({ xs, ys })
 * console.log(mixed.ys.shape) // [ 2, 2 ]
 * ```
 */
export function mixup(options: MixupOptions = {}): Augmentation {
  checkOptions(op, options, ['alpha', 'classes'])
  const { alpha = 0.2, classes } = options
  checkNumber(op, 'alpha', alpha, 0, true)
  return new Mixup(alpha, classes === undefined ? undefined : checkCount(op, 'classes', classes, 2))
}
