// Augmentations one after the other.

import { show, typeError } from '../errors.js'
import { scope } from '../tensor/scope.js'
import { checkSeed, mixSeed, nextSeed } from '../tensor/seed.js'
import { type Augmentation, type AugmentBatch, checkBatch } from './augmentation.js'
import type { AugmentOptions } from './draws.js'

class Composed implements Augmentation {
  constructor(private readonly steps: readonly Augmentation[]) {}

  apply<Batch extends AugmentBatch>(batch: Batch, options: AugmentOptions = {}): Batch {
    checkBatch('augment.compose', batch)
    const { seed, ...rest } = options
    const from = seed === undefined ? nextSeed() : checkSeed('augment.compose', seed)
    return scope(() =>
      this.steps.reduce((changed, step, i) => {
        const next = step.apply(changed, { ...rest, seed: mixSeed(from, i + 1) })
        checkBatch(`augment.compose: step ${i}`, next)
        return next
      }, batch),
    )
  }
}

/** @internal Throws unless `value` can change batches. */
export function checkAugmentation(op: string, value: unknown): Augmentation {
  if (typeof value !== 'object' || value === null || typeof (value as Augmentation).apply !== 'function') {
    throw typeError(`${op} must be an augmentation, such as augment.horizontalFlip(). got ${show(value)}`)
  }
  return value as Augmentation
}

/**
 * Several augmentations as one: each changes what the one before it left. Every step has random numbers of its own, drawn
 * from the one seed.
 *
 * @example
 * ```ts
 * import { augment, zeros } from 'ferrograd'
 * const cifar = augment.compose([
 *   augment.randomCrop({ padding: 4 }),
 *   augment.horizontalFlip(),
 *   augment.cutout({ size: 16 }),
 * ])
 * console.log(cifar.apply({ xs: zeros([128, 32, 32, 3]) }).xs.shape) // [ 128, 32, 32, 3 ]
 * ```
 */
export function compose(steps: readonly Augmentation[]): Augmentation {
  if (!Array.isArray(steps)) {
    throw typeError(`augment.compose: expects an array of augmentations. got ${show(steps)}`)
  }
  return new Composed(steps.map((step, i) => checkAugmentation(`augment.compose: step ${i}`, step)))
}
