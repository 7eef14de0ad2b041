import test from 'ava'
import { memory, tensor, type ValidationData } from 'ferrograd'
import { evaluate } from '../../dist/training/evaluate.js'
import { fit } from '../../dist/training/fit.js'
import { ByHand, close, counting, linear } from '../helpers/linear.js'

const quiet = { verbose: 0, shuffle: false } as const
const x = [
  [1, 0.5],
  [-1, 2],
  [0.5, 0.5],
  [2, -1],
  [0, 1],
]
const y = [1, 2, 0, -1, 3]

test('losses and weights are those of gradient descent by hand, partial batches included', async (t) => {
  const { model, compiled } = linear()
  const history = await fit(model, compiled, x, y, { ...quiet, batchSize: 2, epochs: 3 })
  const hand = new ByHand(0.1)
  t.deepEqual(history.epoch, [0, 1, 2])
  for (const loss of history.history.loss) {
    const parts = [0, 2, 4].map((start) => hand.step(x.slice(start, start + 2), y.slice(start, start + 2)))
    t.true(close(loss, (2 * parts[0]! + 2 * parts[1]! + parts[2]!) / 5))
  }
  const [w, c] = [await model.weight.data(), await model.bias.item()]
  t.true(close(w[0]!, hand.w[0]!) && close(w[1]!, hand.w[1]!) && close(c, hand.c))
})

test('the penalty is part of the loss and of its gradient', async (t) => {
  const { model, compiled } = linear({ l2: 0.5 })
  const history = await fit(model, compiled, x, y, { ...quiet, batchSize: 5, epochs: 4, validationData: [x, y] })
  const hand = new ByHand(0.1, 0.5)
  for (const [epoch, loss] of history.history.loss.entries()) {
    t.true(close(loss, hand.step(x, y)))
    const still = new ByHand(0, 0.5)
    Object.assign(still, { w: hand.w, c: hand.c })
    t.true(close(history.history.val_loss![epoch]!, still.step(x, y)))
  }
})

test('constraints hold after every step', async (t) => {
  const { model, compiled } = linear({ bound: 0.25, learningRate: 1 })
  await fit(model, compiled, x, y, { ...quiet, epochs: 2, batchSize: 1 })
  for (const w of await model.weight.data()) t.true(Math.abs(w) <= 0.25)
})

test('the batch size is 32 unless said otherwise, and there is one epoch', async (t) => {
  const { model, compiled } = linear({ learningRate: 0 })
  const { x, y } = counting(70)
  const history = await fit(model, compiled, x, y, quiet)
  t.deepEqual(
    (await model.batches()).map((batch) => batch.length),
    [32, 32, 6],
  )
  t.deepEqual(history.epoch, [0])
})

test('a last batch of one works', async (t) => {
  const { model, compiled } = linear({ learningRate: 0 })
  const { x, y } = counting(5)
  await fit(model, compiled, x, y, { ...quiet, batchSize: 2 })
  t.deepEqual(await model.batches(), [[0, 1], [2, 3], [4]])
})

test('a batch may be larger than the data', async (t) => {
  const { model, compiled } = linear({ learningRate: 0 })
  const { x, y } = counting(5)
  await fit(model, compiled, x, y, { ...quiet, batchSize: 100 })
  t.deepEqual(await model.batches(), [[0, 1, 2, 3, 4]])
})

test('initialEpoch goes on counting', async (t) => {
  const { model, compiled } = linear()
  const history = await fit(model, compiled, x, y, { ...quiet, initialEpoch: 3, epochs: 5 })
  t.deepEqual(history.epoch, [3, 4])
  t.is(history.history.loss.length, 2)
  const none = await fit(model, compiled, x, y, { ...quiet, initialEpoch: 5, epochs: 5 })
  t.deepEqual(none, { epoch: [], history: { loss: [] } })
})

test('metrics are reported for training and validation, exactly', async (t) => {
  const { model, compiled } = linear({ metrics: ['meanAbsoluteError', 'meanSquaredError'], learningRate: 0 })
  const { history } = await fit(model, compiled, x, y, {
    ...quiet,
    batchSize: 2,
    validationData: [x.slice(3), y.slice(3)],
  })
  t.deepEqual(Object.keys(history), [
    'loss',
    'meanAbsoluteError',
    'meanSquaredError',
    'val_loss',
    'val_meanAbsoluteError',
    'val_meanSquaredError',
  ])
  t.true(close(history.meanAbsoluteError![0]!, 7 / 5))
  t.true(close(history.meanSquaredError![0]!, 15 / 5))
  t.true(close(history.val_meanAbsoluteError![0]!, 2))
  t.true(close(history.val_loss![0]!, 5))
})

test('accuracy is there under its name, whatever it was asked by', async (t) => {
  const { model, compiled } = linear({
    weight: [
      [0, 1],
      [1, 0],
    ],
    loss: 'softmaxCrossEntropy',
    metrics: ['acc'],
    learningRate: 0,
  })
  const { history } = await fit(
    model,
    compiled,
    [
      [2, 1],
      [1, 2],
      [0, 3],
    ],
    [1, 0, 1],
    { ...quiet, batchSize: 2 },
  )
  t.deepEqual(history.accuracy, [2 / 3])
})

test('validationSplit takes the last samples before any shuffling', async (t) => {
  const { model, compiled } = linear({ learningRate: 0.01 })
  const { x, y } = counting(10)
  const { history } = await fit(model, compiled, x, y, { verbose: 0, validationSplit: 0.3, batchSize: 4, seed: 1 })
  const trained = (await model.batches()).flat()
  t.deepEqual(
    [...trained].sort((a, b) => a - b),
    [0, 1, 2, 3, 4, 5, 6],
  )
  t.notDeepEqual(trained, [0, 1, 2, 3, 4, 5, 6])
  const judged = await Promise.all(model.seen.filter(({ training }) => !training).map(({ rows }) => rows))
  t.deepEqual(
    judged.flatMap((rows) => Array.from(rows).filter((_, i) => i % 2 === 0)),
    [7, 8, 9],
  )
  const { loss } = await evaluate(model, compiled, x.slice(7), y.slice(7))
  t.is(history.val_loss![0], loss)
})

test('validationSplit splits where it says, without slips of rounding', async (t) => {
  for (const [count, split, trained] of [
    [10, 0.9, 1],
    [10, 0.1, 9],
    [10, 0.7, 3],
    [100, 0.29, 71],
    [5, 0.5, 2],
    [3, 0.34, 1],
    [1797, 0.2, 1437],
  ] as const) {
    const { model, compiled } = linear({ learningRate: 0 })
    const { x, y } = counting(count)
    await fit(model, compiled, x, y, { ...quiet, validationSplit: split, batchSize: 1024 })
    t.is((await model.batches()).flat().length, trained, `${split} of ${count}`)
  }
})

test('validationData may weigh its samples, and may be batches', async (t) => {
  const { model, compiled } = linear({ learningRate: 0 })
  const val = async (validationData: ValidationData) =>
    (await fit(model, compiled, x, y, { ...quiet, validationData })).history.val_loss![0]!
  t.true(close(await val([x.slice(0, 2), y.slice(0, 2)]), (1 + 4) / 2))
  t.true(close(await val([x.slice(0, 2), y.slice(0, 2), [4, 0]]), 4 / 2))
  const batches = [
    { xs: x.slice(0, 2), ys: y.slice(0, 2) },
    { xs: x.slice(4), ys: y.slice(4), sampleWeight: [2] },
  ]
  t.true(close(await val(batches), (1 + 4 + 2 * 9) / 3))
})

test('sampleWeight and validationSplit go together', async (t) => {
  const { model, compiled } = linear({ learningRate: 0 })
  const { history } = await fit(model, compiled, x, y, {
    ...quiet,
    validationSplit: 0.4,
    sampleWeight: [1, 2, 3, 4, 5],
    batchSize: 2,
  })
  t.true(close(history.loss[0]!, (1 * 1 + 2 * 4 + 3 * 0) / 3))
  t.true(close(history.val_loss![0]!, (4 * 1 + 5 * 9) / 2))
})

test('sampleWeight weighs the loss of each sample and its gradient, also when shuffled', async (t) => {
  const weights = [0, 1, 2, 0.5, 3]
  const { model, compiled } = linear()
  const hand = new ByHand(0.1)
  const history = await fit(model, compiled, x, y, { ...quiet, sampleWeight: weights, batchSize: 5, epochs: 3 })
  for (const loss of history.history.loss) t.true(close(loss, hand.step(x, y, weights)))
  t.true(close((await model.weight.data())[0]!, hand.w[0]!))

  const still = linear({ learningRate: 0 })
  const shuffled = await fit(still.model, still.compiled, x, y, {
    verbose: 0,
    seed: 3,
    sampleWeight: Float64Array.from(weights),
    batchSize: 2,
  })
  t.true(close(shuffled.history.loss[0]!, weights.reduce((sum, w, i) => sum + w * y[i]! ** 2, 0) / 5))
  t.deepEqual(
    (await fit(still.model, still.compiled, x, y, { ...quiet, sampleWeight: tensor(weights) })).history.loss,
    (await fit(still.model, still.compiled, x, y, { ...quiet, sampleWeight: weights })).history.loss,
  )
})

test('classWeight weighs by class index', async (t) => {
  // Equal scores: every sample's loss is log 3.
  const zero = { weight: [[0, 0, 0]], loss: 'softmaxCrossEntropy', learningRate: 0 } as const
  const { model, compiled } = linear({ ...zero, weight: [[0, 0, 0]] })
  const x = [[1], [1], [1], [1]]
  const y = [0, 1, 1, 2]
  const loss = async (classWeight: Record<number, number>, labels: number[] | number[][] = y) =>
    (await fit(model, compiled, x, labels, { ...quiet, classWeight, batchSize: 3 })).history.loss[0]!
  t.true(close(await loss({ 0: 2, 2: 0 }), (Math.log(3) * (2 + 1 + 1 + 0)) / 4))
  t.true(close(await loss({ 1: 5 }), (Math.log(3) * (1 + 5 + 5 + 1)) / 4))
  const oneHot = y.map((label) => [0, 1, 2].map((c) => (c === label ? 1 : 0)))
  t.true(close(await loss({ 0: 2, 1: 0.5 }, oneHot), (Math.log(3) * (2 + 0.5 + 0.5 + 1)) / 4))
  const both = await fit(model, compiled, x, y, { ...quiet, classWeight: { 1: 3 }, sampleWeight: [1, 2, 0, 4] })
  t.true(close(both.history.loss[0]!, (Math.log(3) * (1 + 2 * 3 + 0 + 4)) / 4))
})

test('classWeight of yes and no, and for batches', async (t) => {
  const { model, compiled } = linear({ weight: [[0]], loss: 'binaryCrossEntropy', learningRate: 0 })
  const x = [[1], [1], [1]]
  const { history } = await fit(model, compiled, x, [1, 0, 1], { ...quiet, classWeight: { 0: 4, 1: 0.5 } })
  t.true(close(history.loss[0]!, (Math.log(2) * (0.5 + 4 + 0.5)) / 3))
  const batches = [{ xs: x, ys: [1, 0, 0] }]
  const other = await fit(model, compiled, batches, { verbose: 0, classWeight: { 0: 4, 1: 0.5 } })
  t.true(close(other.history.loss[0]!, (Math.log(2) * (0.5 + 4 + 4)) / 3))
})

test('classWeight is not for validation', async (t) => {
  const { model, compiled } = linear({ weight: [[0, 0]], loss: 'softmaxCrossEntropy', learningRate: 0 })
  const options = { ...quiet, classWeight: { 0: 10, 1: 10 }, validationData: [[[1]], [0]] as [number[][], number[]] }
  const { history } = await fit(model, compiled, [[1]], [0], options)
  t.true(close(history.loss[0]!, 10 * Math.log(2)))
  t.true(close(history.val_loss![0]!, Math.log(2)))
})

test('stepsPerEpoch cuts epochs out of a stream that begins again', async (t) => {
  const { model, compiled } = linear({ learningRate: 0 })
  const { x, y } = counting(5)
  const history = await fit(model, compiled, x, y, { ...quiet, batchSize: 2, stepsPerEpoch: 2, epochs: 4 })
  t.deepEqual(await model.batches(), [[0, 1], [2, 3], [4], [0, 1], [2, 3], [4], [0, 1], [2, 3]])
  t.is(history.history.loss.length, 4)
  t.true(close(history.history.loss[1]!, (16 + 0 + 1) / 3))
})

test('stepsPerEpoch and initialEpoch go on where an unbroken training would be', async (t) => {
  const { x, y } = counting(7)
  const options = { verbose: 0, batchSize: 2, stepsPerEpoch: 3, seed: 9 } as const
  const [whole, broken] = [linear({ learningRate: 0 }), linear({ learningRate: 0 })]
  await fit(whole.model, whole.compiled, x, y, { ...options, epochs: 5 })
  await fit(broken.model, broken.compiled, x, y, { ...options, epochs: 2 })
  await fit(broken.model, broken.compiled, x, y, { ...options, initialEpoch: 2, epochs: 5 })
  t.deepEqual(await broken.model.batches(), await whole.model.batches())
})

for (const passive of [false, true]) {
  test.serial(
    `the memory of step 300 is that of step 100, ${passive ? 'running ahead' : 'step by step'}`,
    async (t) => {
      const { model, compiled } = linear({ learningRate: 1e-6, metrics: ['meanAbsoluteError'], l2: 1e-3 })
      const { x, y } = counting(300)
      const seen: unknown[] = []
      // What the model notes for tests would count.
      Object.defineProperty(model, 'seen', { value: { push() {} } })
      const before = memory().tensors
      await fit(model, compiled, x, y, {
        verbose: 0,
        batchSize: 1,
        sampleWeight: y,
        callbacks: {
          passive,
          onBatchEnd(batch) {
            if (batch === 99 || batch === 298) seen.push({ tensors: memory().tensors, bytes: memory().bytes })
          },
        },
      })
      t.is(seen.length, 2)
      t.deepEqual(seen[0], seen[1])
      t.is(memory().tensors, before)
    },
  )
}
