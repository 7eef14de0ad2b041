import test from 'ava'
import { memory, tensor } from 'ferrograd'
import { evaluate } from '../../dist/training/evaluate.js'
import { predict } from '../../dist/training/predict.js'
import { trainOnBatch } from '../../dist/training/train-on-batch.js'
import { ByHand, close, counting, linear } from '../helpers/linear.js'

const { x, y } = counting(7)

test('evaluate is exact, whatever the batches', async (t) => {
  const { model, compiled } = linear({ weight: [[0.5], [1]], metrics: ['meanAbsoluteError'], l2: 2 })
  const error = y.map((i) => 0.5 * i + 1 - i)
  const loss = error.reduce((sum, e) => sum + e * e, 0) / 7 + 2 * 1.25
  const absolute = error.reduce((sum, e) => sum + Math.abs(e), 0) / 7
  for (const batchSize of [1, 2, 3, 7, 32]) {
    const scores = await evaluate(model, compiled, x, y, { batchSize })
    t.true(close(scores.loss, loss))
    t.true(close(scores.meanAbsoluteError!, absolute))
    t.deepEqual(Object.keys(scores), ['loss', 'meanAbsoluteError'])
  }
  t.deepEqual([...(await model.weight.data())], [0.5, 1])
  t.true(model.seen.every(({ training }) => !training))
})

test('evaluate weighs samples', async (t) => {
  const { model, compiled } = linear()
  const { loss } = await evaluate(model, compiled, x, y, { batchSize: 2, sampleWeight: [0, 0, 0, 0, 0, 1, 2] })
  t.true(close(loss, (25 + 2 * 36) / 7))
})

test('evaluate uses batches of 32 unless said otherwise', async (t) => {
  const { model, compiled } = linear()
  const data = counting(40)
  await evaluate(model, compiled, data.x, data.y)
  t.deepEqual(await Promise.all(model.seen.map(async ({ rows }) => (await rows).length / 2)), [32, 8])
})

test('batchSize says how many at a time', async (t) => {
  const { model, compiled } = linear()
  await evaluate(model, compiled, x, y, { batchSize: 3 })
  await predict(model, x, { batchSize: 5 })
  t.deepEqual(await Promise.all(model.seen.map(async ({ rows }) => (await rows).length / 2)), [3, 3, 1, 5, 2])
})

test('evaluate refuses what makes no sense', async (t) => {
  const { model, compiled } = linear()
  await t.throwsAsync(evaluate(model, compiled, x, y, { batchSize: 0 }), {
    message: 'evaluate: batchSize must be a whole number from 1. got 0',
  })
  await t.throwsAsync(evaluate(model, compiled, x, y, { steps: 3 } as never), {
    message: 'evaluate: there is no option steps (got 3). valid are batchSize and sampleWeight',
  })
  await t.throwsAsync(evaluate(model, compiled, new Float32Array(0), []), {
    message: 'evaluate: there are no samples. x has shape [0, 2]',
  })
})

test('predict gives one row for each sample, in any batches', async (t) => {
  const { model } = linear({
    weight: [
      [1, 0],
      [0, 2],
    ],
  })
  const expected = x.map(([a, b]) => [a!, 2 * b!])
  for (const batchSize of [1, 3, 7, 100]) {
    for (const input of [x, tensor(x), Float32Array.from(x.flat())]) {
      const predictions = await predict(model, input, { batchSize })
      t.deepEqual(predictions.shape, [7, 2])
      t.deepEqual(await predictions.array(), expected)
    }
  }
})

test('predict of nothing is nothing, with a shape', async (t) => {
  const { model } = linear()
  const predictions = await predict(model, new Float32Array(0))
  t.deepEqual(predictions.shape, [0, 1])
  t.deepEqual(await predictions.array(), [])
})

test.serial('predict keeps only its result', async (t) => {
  const { model } = linear()
  Object.defineProperty(model, 'seen', { value: { push() {} } })
  const before = memory().tensors
  let most = 0
  const { forward } = model
  model.forward = (input, options) => {
    most = Math.max(most, memory().tensors)
    return forward.call(model, input, options)
  }
  const predictions = await predict(model, counting(500).x, { batchSize: 1 })
  t.is(memory().tensors, before + 1)
  t.true(most - before <= 5, `${most - before} tensors`)
  predictions.dispose()
})

test('predict refuses what makes no sense, and frees what it had', async (t) => {
  const { model } = linear()
  await t.throwsAsync(predict(model, x, { batchSize: 1.5 }), {
    message: 'predict: batchSize must be a whole number from 1. got 1.5',
  })
  await t.throwsAsync(predict(model, [[1]]), {
    message: 'predict: x has shape [1, 1], but model "linear" takes [batch, 2]',
  })
  await t.throwsAsync(predict(model, x, { verbose: 1 } as never), {
    message: 'predict: there is no option verbose (got 1). valid are batchSize',
  })
})

test('trainOnBatch is one step', async (t) => {
  const { model, compiled } = linear({ metrics: ['meanAbsoluteError'], learningRate: 0.01 })
  const hand = new ByHand(0.01)
  for (let step = 0; step < 3; step++) {
    const scores = await trainOnBatch(model, compiled, x, y)
    t.true(close(scores.loss, hand.step(x, y)))
    t.deepEqual(Object.keys(scores), ['loss', 'meanAbsoluteError'])
  }
  t.true(close(await model.bias.item(), hand.c))
})

test('trainOnBatch weighs samples and classes', async (t) => {
  const { model, compiled } = linear({ learningRate: 0 })
  const weights = [1, 0, 0, 0, 0, 0, 2]
  t.true(close((await trainOnBatch(model, compiled, x, y, { sampleWeight: weights })).loss, 72 / 7))
  const classes = linear({ weight: [[0, 0]], loss: 'softmaxCrossEntropy', learningRate: 0 })
  const { loss } = await trainOnBatch(classes.model, classes.compiled, [[1], [1]], [0, 1], { classWeight: { 1: 3 } })
  t.true(close(loss, (Math.log(2) * 4) / 2))
})

test('trainOnBatch calls need not be awaited one by one', async (t) => {
  const [together, apart] = [linear({ learningRate: 0.01 }), linear({ learningRate: 0.01 })]
  const scores = await Promise.all([1, 2, 3].map(() => trainOnBatch(together.model, together.compiled, x, y)))
  for (const { loss } of scores) {
    t.is(loss, (await trainOnBatch(apart.model, apart.compiled, x, y)).loss)
  }
})

test.serial('trainOnBatch leaves nothing behind', async (t) => {
  const { model, compiled } = linear()
  Object.defineProperty(model, 'seen', { value: { push() {} } })
  const before = memory().tensors
  await trainOnBatch(model, compiled, tensor(x), tensor(y), { classWeight: {} })
  await t.throwsAsync(trainOnBatch(model, compiled, x, [1]))
  await t.throwsAsync(trainOnBatch(model, compiled, x, y, { sampleWeight: tensor([-1, 0, 0, 0, 0, 0, 0]) }))
  globalThis.gc?.()
  t.true(memory().tensors <= before + 3)
})
