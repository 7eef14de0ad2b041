// Samples in memory: taken over once, gathered into batches natively.

import { Order, seedOfPass } from '../data/order.js'
import { pickInput, pickRows } from '../data/rows.js'
import { ShapeError, typeError } from '../errors.js'
import { showShape } from '../tensor/shape.js'
import { Tensor } from '../tensor/tensor.js'
import type { Compiled } from './compile.js'
import { floatOf, type Inputs, predictionShape, takeInputs } from './inputs.js'
import { checkTaken, type Expectation, takeLabels } from './labels.js'
import type { Pass, ReadyBatch, Source } from './source.js'
import type { Trainable } from './trainable.js'
import type { Values } from './values.js'
import { checkTakenWeights, takeWeights } from './weights.js'

/** @internal Inputs, labels and weights of samples, owned by this. */
export class Samples {
  readonly count: number

  private constructor(
    readonly expected: Expectation,
    readonly inputs: Tensor[],
    private labels: Tensor,
    private weights: Tensor | undefined,
    private readonly unchecked: { labels: boolean; weights: boolean },
  ) {
    this.count = inputs[0]!.shape[0]!
  }

  /** Copies arrays and shares tensors: what happens to those of the user afterwards changes nothing. */
  static take(
    op: string,
    model: Trainable,
    { lossName }: Compiled,
    x: Inputs,
    y: Values,
    sampleWeight?: Values,
  ): Samples {
    if (y === undefined) throw typeError(`${op}: the labels are missing: give x and y, or batches of { xs, ys }`)
    const inputs = takeInputs(op, model, x)
    const taken = [...inputs]
    try {
      const count = inputs[0]!.shape[0]!
      if (count === 0) throw new ShapeError(`${op}: there are no samples. x has shape ${showShape(inputs[0]!.shape)}`)
      const predictions = predictionShape(model, inputs)
      const expected: Expectation = { op, model, float: floatOf(model), predictions, lossName }
      const labels = takeLabels(expected, count, y)
      taken.push(labels)
      const weights = sampleWeight === undefined ? undefined : takeWeights(op, count, sampleWeight, expected.float)
      const unchecked = { labels: y instanceof Tensor, weights: sampleWeight instanceof Tensor }
      return new Samples(expected, inputs, labels, weights, unchecked)
    } catch (error) {
      for (const tensor of taken) tensor.dispose()
      throw error
    }
  }

  /** Looks at the contents of labels and weights that came as tensors. */
  async check(): Promise<void> {
    const { expected, unchecked } = this
    if (unchecked.labels) this.labels = await checkTaken(expected, this.labels)
    if (unchecked.weights) this.weights = await checkTakenWeights(expected.op, this.weights!, expected.float)
  }

  dispose(): void {
    for (const input of this.inputs) input.dispose()
    this.labels.dispose()
    this.weights?.dispose()
  }

  private pick(order: Int32Array): ReadyBatch {
    return {
      size: order.length,
      expected: this.expected,
      inputs: this.inputs.map((input) => pickInput(input, order, this.expected.float)),
      labels: pickRows(this.labels, order),
      weights: this.weights && pickRows(this.weights, order),
    }
  }

  /** The samples from `start` up to `end` in batches, shuffled in every pass when there is a seed. */
  batches(start: number, end: number, batchSize: number, seed: number | undefined): Source {
    const count = end - start
    return {
      steps: Math.ceil(count / batchSize),
      batchSize,
      jumps: true,
      open: (pass, first) => {
        const order = new Order(count, seed === undefined ? undefined : seedOfPass(seed, pass))
        let next = first * batchSize
        return {
          next: () => {
            if (next >= count) return undefined
            const rows = order.slice(next, Math.min(next + batchSize, count))
            next += batchSize
            return this.pick(start === 0 ? rows : rows.map((row) => row + start))
          },
          close: () => {},
        } satisfies Pass
      },
    }
  }
}
