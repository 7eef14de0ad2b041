// What sanity checks have in common: some examples of the user's, and a model that they give back as it was.

import { Order, seedOfPass } from '../data/order.js'
import { show, typeError } from '../errors.js'
import { AugmentationLayer } from '../layers/augmentation-layer.js'
import { Dropout } from '../layers/dropout.js'
import { copyWeights } from '../layers/weights.js'
import { Model } from '../models/model.js'
import { scope, unscoped } from '../tensor/scope.js'
import { withSeed } from '../tensor/seed.js'
import type { Tensor } from '../tensor/tensor.js'
import { occupy, release } from '../training/busy.js'
import { type Compiled, lossOf } from '../training/compile.js'
import { forward, type Inputs } from '../training/inputs.js'
import { Samples } from '../training/samples.js'
import { freeBatch, type ReadyBatch } from '../training/source.js'
import type { Trainable } from '../training/trainable.js'
import type { Values } from '../training/values.js'

/** @internal A model in the hands of a check, with the samples that it was given. */
export interface Borrowed {
  readonly op: string
  readonly trainable: Trainable
  readonly compiled: Compiled
  readonly samples: Samples
  /** The layers that draw at random in training. */
  readonly random: readonly (Dropout | AugmentationLayer)[]
  /** Gives the model its weights back. */
  restore(): void
}

/** @internal What every check is given. */
export interface Given {
  readonly model: Model
  readonly x: Inputs
  readonly y: Values
  /** Of all that is random in the check; the user's sequence of seeds stays where it is. */
  readonly seed: number
  /** Whether the model gets its weights back. */
  readonly restore: boolean
}

/**
 * @internal Runs `work` on a model, which nobody else may train meanwhile, and frees what it took. With `restore` the
 * weights, running statistics included, are in the end what they were, also when `work` fails.
 */
export async function borrow<T>(
  op: string,
  { model, x, y, seed, restore }: Given,
  work: (borrowed: Borrowed) => Promise<T>,
): Promise<T> {
  if (!(model instanceof Model)) throw typeError(`${op}: the first argument must be a model. got ${show(model)}`)
  const { trainable, compiled } = model.$training(op)
  occupy(op, trainable)
  try {
    const samples = Samples.take(op, trainable, compiled, x, y)
    try {
      await samples.check()
      const random = model.$everyModule().filter(drawsAtRandom)
      const before = snapshot(trainable, random)
      try {
        const borrowed = { op, trainable, compiled, samples, random, restore: before.restore }
        return await withSeed(seed, () => work(borrowed))
      } finally {
        if (restore) before.restore()
        before.dispose()
      }
    } finally {
      samples.dispose()
    }
  } finally {
    release(trainable)
  }
}

function drawsAtRandom(module: object): module is Dropout | AugmentationLayer {
  return module instanceof Dropout || module instanceof AugmentationLayer
}

/** The weights as they are now, and how far the layers are in their own random sequences. */
function snapshot({ weights }: Trainable, random: Borrowed['random']): { restore(): void; dispose(): void } {
  const copies = unscoped(() => copyWeights(weights))
  const drawn = random.map((layer) => layer.$drawn)
  return {
    restore: () => {
      for (const [i, weight] of weights.entries()) weight.assign(copies[i]!)
      for (const [i, layer] of random.entries()) layer.$drawn = drawn[i]!
    },
    dispose: () => {
      for (const copy of copies) copy.dispose()
    },
  }
}

/** @internal Some examples, drawn at random, as one batch. */
export class Probe {
  /** Their places in the data. */
  readonly rows: Int32Array
  private readonly batch: ReadyBatch

  constructor(
    private readonly borrowed: Borrowed,
    examples: number,
    seed: number,
  ) {
    const { samples } = borrowed
    const size = Math.min(examples, samples.count)
    this.rows = new Order(samples.count, seedOfPass(seed, 0)).slice(0, size)
    // The first batch of a shuffled pass holds just these rows.
    this.batch = unscoped(() => samples.batches(0, samples.count, size, seed).open(0, 0).next() as ReadyBatch)
  }

  get inputs(): readonly Tensor[] {
    return this.batch.inputs
  }

  get labels(): Tensor {
    return this.batch.labels
  }

  /** The predictions as in training, with the batch's statistics, but with nothing random. */
  predict(): Tensor {
    const { trainable, random } = this.borrowed
    for (const layer of random) layer.$idle = true
    try {
      return scope(() => forward(trainable, this.batch.inputs, true))
    } finally {
      for (const layer of random) layer.$idle = false
    }
  }

  /** The loss without penalties. */
  loss(predictions: Tensor): Tensor {
    const { op, compiled } = this.borrowed
    return lossOf(op, compiled, predictions, this.batch.labels, undefined)
  }

  dispose(): void {
    freeBatch(this.batch)
  }
}
