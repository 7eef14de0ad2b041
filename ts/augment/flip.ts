// Images mirrored at random.

import { checkOptions } from '../initializers/options.js'
import type { Tensor } from '../tensor/tensor.js'
import { type Augmentation, ImageAugmentation } from './augmentation.js'
import { cropImages } from './crop-images.js'
import type { Draws } from './draws.js'
import { checkProbability } from './options.js'

/** @internal Mirrors along each axis with a probability of its own. */
export class Flip extends ImageAugmentation {
  constructor(
    op: string,
    private readonly probability: { readonly rows: number; readonly columns: number },
  ) {
    super(op)
  }

  override $change(x: Tensor, draws: Draws, op: string): Tensor {
    const { rows, columns } = this.probability
    const windows = draws.map((random) => ({
      top: 0,
      left: 0,
      flipColumns: random.next() < columns,
      flipRows: random.next() < rows,
    }))
    return cropImages(op, x, [x.shape[1]!, x.shape[2]!], windows, new Float64Array(x.shape[3]!))
  }
}

export interface FlipOptions {
  /** How often an image is mirrored, from 0 to 1. Default 0.5. */
  probability?: number
}

/**
 * Mirrors an image left to right with a probability. For things that look alike from both sides, not for letters.
 *
 * Images `[N, H, W, C]`, uint8, float32 or float64; shape and dtype stay, and every number is moved as it is.
 *
 * @example
 * ```ts
 * import { augment, tensor } from 'ferrograd'
 * const xs = tensor([1, 2, 3], { shape: [1, 1, 3, 1] })
 * const flip = augment.horizontalFlip({ probability: 1 })
 * console.log(await flip.apply({ xs }).xs.data()) // Float32Array(3) [ 3, 2, 1 ]
 * ```
 */
export function horizontalFlip(options: FlipOptions = {}): Augmentation {
  return new Flip('augment.horizontalFlip', { columns: checkFlip('augment.horizontalFlip', options), rows: 0 })
}

/** Turns an image upside down with a probability, as {@link horizontalFlip} mirrors it. For what has no up and down. */
export function verticalFlip(options: FlipOptions = {}): Augmentation {
  return new Flip('augment.verticalFlip', { rows: checkFlip('augment.verticalFlip', options), columns: 0 })
}

function checkFlip(op: string, options: FlipOptions): number {
  checkOptions(op, options, ['probability'])
  return checkProbability(op, options.probability ?? 0.5)
}
