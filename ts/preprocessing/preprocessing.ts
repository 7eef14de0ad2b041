// What all preprocessing shares: statistics of the training data, learned once and applied to whatever comes later.

import { FormatError, ShapeError, show, typeError } from '../errors.js'
import { unscoped } from '../tensor/scope.js'
import { showShape } from '../tensor/shape.js'
import { alias, checkTensor, type Tensor } from '../tensor/tensor.js'
import { byRows, floatOf } from './by-rows.js'

/** Options as plain data: what JSON can hold. */
export type PreprocessingConfig = Readonly<Record<string, unknown>>

/** Fitted tensors by name. */
export type Statistics = Readonly<Record<string, Tensor>>

/** @internal What a statistic in a file must be. All its numbers must be finite. */
export interface Requirement {
  readonly shape: readonly number[]
  /** Whether they must be above 0. */
  readonly positive: boolean
}

/**
 * A transformation of inputs whose numbers come from training data: what `preprocessing.zeroCenter()` and the others
 * return. `fit` it on the training images, then `transform` training, validation and test images with it.
 */
export abstract class Preprocessing {
  private learned: Statistics | undefined
  private fitting = false

  /** What makes it in `preprocessing`, such as 'zeroCenter'. */
  abstract readonly kind: string

  /** The options that make another one like it. */
  abstract config(): PreprocessingConfig

  /** @internal The statistics of `x`, checked: at least one sample. They belong to nobody else. */
  abstract $learn(x: Tensor): Promise<Statistics>
  /** @internal The shape of the result for inputs of `shape`. Throws unless they are like what was fitted on. */
  abstract $outputShape(shape: readonly number[], statistics: Statistics): readonly number[]
  /** @internal The shape of the inputs whose result has `shape`. Throws unless that is one. */
  abstract $inputShape(shape: readonly number[], statistics: Statistics): readonly number[]
  /** @internal `x` is a float of a shape that fits. */
  abstract $forward(x: Tensor, statistics: Statistics): Tensor
  /** @internal `y` is a float of a shape that fits. */
  abstract $backward(y: Tensor, statistics: Statistics): Tensor
  /** @internal The shape of one input, where it is fixed. */
  abstract $example(statistics: Statistics): readonly number[] | undefined
  /** @internal What a file must hold, given what it holds. */
  abstract $requirements(statistics: Statistics): Readonly<Record<string, Requirement>>

  /** @internal How errors call it. */
  get $label(): string {
    return `preprocessing.${this.kind}`
  }

  /** Whether there are statistics. */
  get fitted(): boolean {
    return this.learned !== undefined
  }

  /**
   * Takes the statistics from training data: images `[N, height, width, channels]` or flat `[N, features]`. Pixels as
   * uint8 are read as they are. Resolves with this object when the work is done, which other threads do. Fitting
   * again replaces the statistics; an error leaves them as they were.
   *
   * Rejects with a {@link ShapeError} when there is nothing to learn from, and with a `RangeError` for NaN or infinity.
   */
  async fit(x: Tensor): Promise<this> {
    const label = this.$label
    checkTensor(label, 'x', x)
    const [samples] = x.shape
    if (x.shape.length < 2) {
      throw new ShapeError(
        `${label}: fit takes images [N, height, width, channels] or flat data [N, features]. got shape ${showShape(x.shape)}`,
      )
    }
    if (samples === 0 || x.size === 0) {
      throw new ShapeError(`${label}: there is nothing to fit on. x has shape ${showShape(x.shape)}`)
    }
    if (this.fitting) throw typeError(`${label}: it is being fitted already. await the first fit`)
    // The user may dispose x while the work is under way.
    const taken = alias(x)
    this.fitting = true
    try {
      this.$adopt(await this.$learn(taken))
      return this
    } finally {
      this.fitting = false
      taken.dispose()
    }
  }

  /**
   * `x` transformed by the statistics of the training data. A single call transforms any number of samples; work is
   * queued and done in order. uint8 and int32 become float32. Throws a `TypeError` before `fit`, and a
   * {@link ShapeError} unless the samples of `x` are like those that it was fitted on.
   */
  transform(x: Tensor): Tensor {
    const statistics = this.$statisticsFor('transform')
    checkTensor(this.$label, 'x', x)
    const shape = this.$outputShape(x.shape, statistics)
    return byRows(x, shape, (rows) => this.$forward(floatOf(rows), statistics))
  }

  /** What `transform` made `y` from, as far as `y` still tells it. */
  inverse(y: Tensor): Tensor {
    const statistics = this.$statisticsFor('inverse')
    checkTensor(this.$label, 'y', y)
    const shape = this.$inputShape(y.shape, statistics)
    return byRows(y, shape, (rows) => this.$backward(floatOf(rows), statistics))
  }

  /** The fitted tensors by name. They stay its own: dispose none. Throws a `TypeError` before `fit`. */
  statistics(): Record<string, Tensor> {
    return { ...this.$statisticsFor('statistics') }
  }

  /** Frees the statistics; it must be fitted again before it transforms. */
  dispose(): void {
    for (const tensor of Object.values(this.learned ?? {})) tensor.dispose()
    this.learned = undefined
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  /** @internal */
  $statisticsFor(use: string): Statistics {
    if (this.learned === undefined) {
      throw typeError(
        `${this.$label}: ${use} needs statistics, and it has not been fitted. await fit(trainImages) first`,
      )
    }
    return this.learned
  }

  /** @internal Takes ownership of these statistics in place of those it had. */
  $adopt(statistics: Statistics): void {
    this.dispose()
    this.learned = statistics
  }

  /** @internal Takes over statistics from a file. Rejects with a {@link FormatError} unless they can be its own. */
  async $restore(statistics: Statistics): Promise<void> {
    const wrong = (what: string) =>
      new FormatError(`the statistics in the file do not belong to ${this.$label}: ${what}`)
    const required = this.$requirements(statistics)
    const [names, found] = [Object.keys(required).sort(), Object.keys(statistics).sort()]
    if (names.join() !== found.join()) throw wrong(`found ${show(found)} instead of ${show(names)}`)
    for (const [name, { shape, positive }] of Object.entries(required)) {
      const tensor = statistics[name]!
      if (tensor.dtype !== 'float32' && tensor.dtype !== 'float64') throw wrong(`${name} has dtype ${tensor.dtype}`)
      if (!shape.every((size, axis) => size === tensor.shape[axis]) || shape.length !== tensor.shape.length) {
        throw wrong(`${name} has shape ${showShape(tensor.shape)} instead of ${showShape(shape)}`)
      }
      const bad = (await tensor.data()).find((value) => !Number.isFinite(value) || (positive && value <= 0))
      if (bad !== undefined) throw wrong(`${name} holds ${bad}`)
    }
    this.$adopt(unscoped(() => Object.fromEntries(names.map((name) => [name, alias(statistics[name]!)]))))
  }
}
