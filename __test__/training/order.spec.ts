// In which order samples are trained on.
import test from 'ava'
import { setSeed } from 'ferrograd'
import { fit } from '../../dist/training/fit.js'
import type { FitOptions } from '../../dist/training/fit-options.js'
import { close, counting, linear } from '../helpers/linear.js'

async function batchesOf(options: FitOptions, count = 20): Promise<number[][]> {
  const { model, compiled } = linear({ learningRate: 0 })
  const { x, y } = counting(count)
  await fit(model, compiled, x, y, { verbose: 0, batchSize: 5, ...options })
  return model.batches()
}

const inOrder = Array.from({ length: 20 }, (_, i) => i)

test('shuffling is on unless said otherwise, and visits every sample once', async (t) => {
  const order = (await batchesOf({ seed: 1 })).flat()
  t.notDeepEqual(order, inOrder)
  t.deepEqual(
    [...order].sort((a, b) => a - b),
    inOrder,
  )
  t.deepEqual((await batchesOf({ shuffle: false })).flat(), inOrder)
})

test('the seed decides the order', async (t) => {
  t.deepEqual(await batchesOf({ seed: 1 }), await batchesOf({ seed: 1 }))
  t.notDeepEqual(await batchesOf({ seed: 1 }), await batchesOf({ seed: 2 }))
})

test('without a seed setSeed decides, and without that nothing', async (t) => {
  setSeed(8)
  const first = await batchesOf({})
  const second = await batchesOf({})
  setSeed(8)
  t.deepEqual(await batchesOf({}), first)
  t.notDeepEqual(second, first)
})

test('every epoch has an order of its own, which does not depend on where the training began', async (t) => {
  const whole = await batchesOf({ seed: 4, epochs: 3 })
  const epochs = [0, 1, 2].map((epoch) => whole.slice(4 * epoch, 4 * epoch + 4))
  t.notDeepEqual(epochs[0], epochs[1])
  t.notDeepEqual(epochs[1], epochs[2])
  t.deepEqual(await batchesOf({ seed: 4, initialEpoch: 1, epochs: 3 }), [...epochs[1]!, ...epochs[2]!])
})

test('samples, labels and weights stay together', async (t) => {
  // The model predicts its first input exactly, so any mix-up would be an error; unequal weights would show another.
  const { model, compiled } = linear({ weight: [[1], [0]], learningRate: 0, metrics: ['meanAbsoluteError'] })
  const { x, y } = counting(50)
  const { history } = await fit(model, compiled, x, y, { verbose: 0, batchSize: 7, seed: 2, validationSplit: 0.2 })
  t.deepEqual(history, { loss: [0], meanAbsoluteError: [0], val_loss: [0], val_meanAbsoluteError: [0] })
  const zero = linear({ learningRate: 0 })
  const weighed = await fit(
    zero.model,
    zero.compiled,
    x,
    y.map((i) => (i === 49 ? 1 : 0)),
    {
      verbose: 0,
      batchSize: 7,
      seed: 2,
      sampleWeight: y.map((i) => (i === 49 ? 50 : 0)),
    },
  )
  t.true(close(weighed.history.loss[0]!, 1))
})
