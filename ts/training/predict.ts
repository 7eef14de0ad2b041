// Asking a model.

import { noGrad } from '../autograd/record.js'
import { Order } from '../data/order.js'
import { pickInput, placeRows } from '../data/rows.js'
import { checkCount, checkOptions } from '../initializers/options.js'
import { full } from '../tensor/create.js'
import { scope, unscoped } from '../tensor/scope.js'
import { empty, type Tensor } from '../tensor/tensor.js'
import { InFlight } from './in-flight.js'
import { floatOf, forward, type Inputs, takeInputs } from './inputs.js'
import type { Trainable } from './trainable.js'

export interface PredictOptions {
  /** Samples in a batch. Default 32. */
  batchSize?: number
}

/**
 * The predictions for all samples, `[samples, …]`, computed batch by batch: beside the result only one or two
 * batches take memory. What the method of the same name of a model does.
 */
export async function predict(model: Trainable, x: Inputs, options: PredictOptions = {}): Promise<Tensor> {
  checkOptions('predict', options, ['batchSize'])
  const { batchSize = 32 } = options
  checkCount('predict', 'batchSize', batchSize)
  const inputs = takeInputs('predict', model, x)
  const float = floatOf(model)
  const marker = unscoped(() => full([], 0))
  let result: Tensor | undefined
  const flight = new InFlight<unknown>(2)
  try {
    const count = inputs[0]!.shape[0]!
    const order = new Order(count, undefined)
    // A batch of nothing, too, has a result with a shape.
    for (let start = 0; start < Math.max(count, 1); start += batchSize) {
      const rows = order.slice(start, Math.min(start + batchSize, count))
      scope(() => {
        const batch = inputs.map((input) => pickInput(input, rows, float))
        const predictions = noGrad(() => forward(model, batch, false))
        result ??= unscoped(() => empty([count, ...predictions.shape.slice(1)], predictions.dtype))
        placeRows(predictions, result, start)
      })
      // Read behind the batch, it says when the batch is done.
      await flight.add(marker.data(), () => {})
    }
    await flight.drain()
    return result!
  } catch (error) {
    result?.dispose()
    throw error
  } finally {
    await flight.abandon()
    marker.dispose()
    for (const input of inputs) input.dispose()
  }
}
