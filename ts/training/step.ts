// One step: forward, loss, and, when training, backward and update.

import { backward, type Gradients } from '../autograd/backward.js'
import { noGrad } from '../autograd/record.js'
import { type Measurement, measureBatch } from '../metrics/metric.js'
import { add } from '../ops/index.js'
import { scope } from '../tensor/scope.js'
import type { Tensor } from '../tensor/tensor.js'
import { type Compiled, lossOf } from './compile.js'
import { forward } from './inputs.js'
import type { StepResult } from './logs.js'
import { freeBatch, type ReadyBatch } from './source.js'
import type { Trainable } from './trainable.js'
import { type ClassTable, weightsOf } from './weights.js'

/**
 * @internal Queues a training step and frees the batch. The promise brings the loss, penalties included, and what the
 * metrics noted; it waits for the step, while this function does not. `observe` sees the gradients before the optimizer.
 */
export function trainStep(
  op: string,
  model: Trainable,
  compiled: Compiled,
  batch: ReadyBatch,
  classWeights: ClassTable | undefined,
  observe?: (gradients: Gradients) => void,
): Promise<StepResult> {
  return queue(batch, () => {
    const predictions = forward(model, batch.inputs, true)
    const weights = weightsOf(op, batch.labels, predictions, batch.weights, classWeights)
    const loss = lossOf(op, compiled, predictions, batch.labels, weights)
    const penalty = model.regularization()
    const total = penalty === undefined ? loss : add(loss, penalty)
    const gradients = backward(total)
    observe?.(gradients)
    compiled.optimizer.step(gradients)
    model.applyConstraints()
    return outcome(compiled, total, predictions, batch)
  })
}

/** @internal Queues the forward pass of a batch and judges it, penalties included, and frees the batch. */
export function testStep(op: string, model: Trainable, compiled: Compiled, batch: ReadyBatch): Promise<StepResult> {
  return queue(batch, () =>
    noGrad(() => {
      const predictions = forward(model, batch.inputs, false)
      const loss = lossOf(op, compiled, predictions, batch.labels, batch.weights)
      const penalty = model.regularization()
      return outcome(compiled, penalty === undefined ? loss : add(loss, penalty), predictions, batch)
    }),
  )
}

function queue(batch: ReadyBatch, work: () => Outcome): Promise<StepResult> {
  const reading = scope(() => {
    try {
      const { loss, measured } = work()
      const sums = measured.map(async ({ sums, count }) => ({ sums: await sums.data(), count }))
      return { all: Promise.all([loss.item(), Promise.all(sums)]) }
    } finally {
      freeBatch(batch)
    }
  })
  return reading.all.then(([loss, measured]) => ({ loss, measured }))
}

/** What a step leaves to be read. */
interface Outcome {
  loss: Tensor
  measured: Measurement[]
}

function outcome({ metrics }: Compiled, loss: Tensor, predictions: Tensor, { labels }: ReadyBatch): Outcome {
  return { loss, measured: metrics.map((metric) => measureBatch(metric, predictions, labels)) }
}
