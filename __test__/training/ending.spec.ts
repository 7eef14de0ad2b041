// How a training ends before its time, and what is left behind.
import { EventEmitter } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import test from 'ava'
import { memory, tensor } from 'ferrograd'
import type { Callback } from '../../dist/callbacks/callback.js'
import { compile } from '../../dist/training/compile.js'
import { fit } from '../../dist/training/fit.js'
import { trainOnBatch } from '../../dist/training/train-on-batch.js'
import { counting, linear } from '../helpers/linear.js'

const { x, y } = counting(6)
const quiet = { verbose: 0, shuffle: false, batchSize: 2 } as const

test('an aborted training resolves with the epochs that are complete', async (t) => {
  const { model, compiled } = linear()
  const controller = new AbortController()
  const ended: string[] = []
  const history = await fit(model, compiled, x, y, {
    ...quiet,
    epochs: 10,
    signal: controller.signal,
    callbacks: {
      onBatchBegin(batch) {
        if (model.seen.length > 6 && batch === 1) controller.abort()
      },
      onEpochEnd: (epoch) => ended.push(`epoch ${epoch}`),
      onTrainEnd: (logs) => ended.push(`train, loss ${'loss' in logs}`),
    },
  })
  t.deepEqual(history.epoch, [0, 1])
  t.is(history.history.loss.length, 2)
  t.deepEqual(ended, ['epoch 0', 'epoch 1', 'train, loss true'])
})

test('a signal that is aborted already trains nothing', async (t) => {
  const { model, compiled } = linear()
  const called: string[] = []
  const history = await fit(model, compiled, x, y, {
    ...quiet,
    signal: AbortSignal.abort(),
    callbacks: { onTrainBegin: () => called.push('begin'), onTrainEnd: () => called.push('end') },
  })
  t.deepEqual(history, { epoch: [], history: { loss: [] } })
  t.is(model.seen.length, 0)
  t.deepEqual(called, [])
})

test('an abort from outside is heard between batches', async (t) => {
  const { model, compiled } = linear()
  const controller = new AbortController()
  const callbacks = {
    onEpochEnd(epoch: number) {
      if (epoch === 0) setTimeout(() => controller.abort(), 5)
    },
  }
  const options = { ...quiet, epochs: 2 ** 31 - 1, signal: controller.signal, callbacks }
  const history = await fit(model, compiled, x, y, options)
  t.true(history.epoch.length > 0)
})

test('an abort does not wait for a batch that never comes', async (t) => {
  const { model, compiled } = linear()
  const controller = new AbortController()
  let returned = false
  const stuck = {
    [Symbol.asyncIterator]: () => ({
      next: () => new Promise<never>(() => {}),
      return: async () => {
        returned = true
        return { done: true as const, value: undefined }
      },
    }),
  }
  setTimeout(() => controller.abort(), 20)
  const history = await fit(model, compiled, stuck, { verbose: 0, signal: controller.signal })
  t.deepEqual(history.epoch, [])
  t.true(returned)
})

test('an abort in the last batch, or in validation, leaves the epoch out', async (t) => {
  for (const training of [true, false]) {
    const { model, compiled } = linear()
    const controller = new AbortController()
    const { forward } = model
    model.forward = (inputs, options) => {
      if (model.seen.length === (training ? 2 : 4)) controller.abort()
      return forward.call(model, inputs, options)
    }
    const history = await fit(model, compiled, x, y, {
      ...quiet,
      validationData: [x, y],
      signal: controller.signal,
    })
    t.deepEqual(history.epoch, [])
    t.is(model.seen.length, training ? 3 : 5)
  }
})

test('an abort in onEpochEnd keeps the epoch', async (t) => {
  const { model, compiled } = linear()
  const controller = new AbortController()
  const callbacks = { onEpochEnd: () => controller.abort() }
  t.deepEqual(
    (await fit(model, compiled, x, y, { ...quiet, epochs: 3, signal: controller.signal, callbacks })).epoch,
    [0],
  )
})

test('signals are let go', async (t) => {
  const { model, compiled } = linear()
  const controller = new AbortController()
  await fit(model, compiled, x, y, { ...quiet, epochs: 3, signal: controller.signal })
  t.is(EventEmitter.getEventListeners(controller.signal, 'abort').length, 0)
})

for (const hook of [
  'onTrainBegin',
  'onEpochBegin',
  'onBatchBegin',
  'onBatchEnd',
  'onEpochEnd',
  'onTrainEnd',
] as const) {
  test.serial(`an error in ${hook} ends the training in order`, async (t) => {
    const { model, compiled } = linear()
    Object.defineProperty(model, 'seen', { value: { push() {} } })
    const before = memory().tensors
    let ended = 0
    const bad: Callback = {
      [hook]: async () => {
        throw new Error(`mine in ${hook}`)
      },
    }
    const callbacks = [bad, { onTrainEnd: () => ended++ }]
    await t.throwsAsync(fit(model, compiled, x, y, { ...quiet, callbacks }), { message: `mine in ${hook}` })
    t.is(ended, 1)
    t.is(memory().tensors, before)
    t.deepEqual((await fit(model, compiled, x, y, { ...quiet, epochs: 2 })).epoch, [0, 1])
  })
}

test('the first error is told, not what follows from it', async (t) => {
  const { model, compiled } = linear()
  const callbacks = {
    onEpochEnd() {
      throw new Error('first')
    },
    onTrainEnd() {
      throw new Error('second')
    },
  }
  await t.throwsAsync(fit(model, compiled, x, y, { ...quiet, callbacks }), { message: 'first' })
})

test.serial('an error of the model in the middle of an epoch leaves nothing behind', async (t) => {
  const { model, compiled } = linear()
  Object.defineProperty(model, 'seen', { value: { push() {} } })
  const before = memory().tensors
  const { forward } = model
  let calls = 0
  model.forward = (inputs, options) => {
    if (++calls === 3) throw new Error('the model is out of order')
    return forward.call(model, inputs, options)
  }
  await t.throwsAsync(fit(model, compiled, x, y, quiet), { message: 'the model is out of order' })
  t.is(memory().tensors, before)
  await fit(model, compiled, x, y, quiet)
  t.is(memory().tensors, before)
})

test.serial('data that is refused, or not needed, leaves nothing behind', async (t) => {
  const { model, compiled } = linear({ weight: [[0, 0]], loss: 'softmaxCrossEntropy' })
  Object.defineProperty(model, 'seen', { value: { push() {} } })
  const [inputs, labels] = [tensor([[1], [1]]), tensor([0, 2], { dtype: 'int32' })]
  const before = memory().tensors
  const options = { ...quiet, classWeight: { 0: 2 }, sampleWeight: [1, 2] }
  await t.throwsAsync(fit(model, compiled, inputs, labels, options), { code: 'ERR_OUT_OF_RANGE' })
  await t.throwsAsync(fit(model, compiled, inputs, [0, 1], { ...options, validationData: [[[1, 2]], [1]] }))
  await fit(model, compiled, inputs, [0, 1], { ...options, signal: AbortSignal.abort() })
  t.is(memory().tensors, before)
})

test('one model is trained once at a time', async (t) => {
  const { model, compiled } = linear()
  const first = fit(model, compiled, x, y, { ...quiet, epochs: 3 })
  const training = (op: string) => ({
    code: 'ERR_TRAINING',
    message: `${op}: model "linear" is training. await its fit, or end it with stopTraining or a signal, before anything else changes the model`,
  })
  await t.throwsAsync(fit(model, compiled, x, y, quiet), training('fit'))
  await t.throwsAsync(trainOnBatch(model, compiled, x, y), training('trainOnBatch'))
  t.throws(() => compile(model, { optimizer: 'sgd', loss: 'huber' }), training('compile'))
  t.deepEqual((await first).epoch, [0, 1, 2])
  t.deepEqual((await fit(model, compiled, x, y, quiet)).epoch, [0])
})

test('two models train side by side', async (t) => {
  const alone = linear()
  const expected = await fit(alone.model, alone.compiled, x, y, { ...quiet, epochs: 5 })
  const [a, b] = [linear(), linear()]
  const both = await Promise.all(
    [a, b].map(({ model, compiled }) => fit(model, compiled, x, y, { ...quiet, epochs: 5 })),
  )
  t.deepEqual(both, [expected, expected])
})

test('a loss that is no number is let through, and said once', async (t) => {
  const { model, compiled } = linear()
  const lines: string[] = []
  const options = { ...quiet, epochs: 2, verbose: 2, print: (line: string) => lines.push(line) } as const
  const bad = [...x]
  bad[3] = [Number.NaN, 1]
  const { history } = await fit(model, compiled, bad, y, options)
  t.deepEqual(history.loss, [Number.NaN, Number.NaN])
  t.deepEqual(
    lines.map((line) => line.replace(/ \(.*/, '')),
    [
      'fit: the loss is NaN at batch 1 of epoch 0. look for such numbers in the inputs, or try a lower learning rate or clipNorm',
      'epoch 1/2 loss NaN',
      'epoch 2/2 loss NaN',
    ],
  )
  const silent = linear()
  lines.length = 0
  await fit(silent.model, silent.compiled, bad, y, { ...options, verbose: 0 })
  t.deepEqual(lines, [])
})

test('the event loop goes on turning', async (t) => {
  const { model, compiled } = linear()
  let turns = 0
  const ticker = setInterval(() => turns++, 1)
  const { x, y } = counting(64)
  await fit(model, compiled, x, y, { ...quiet, batchSize: 1, epochs: 20 })
  clearInterval(ticker)
  t.true(turns > 3, `${turns} turns`)
  await wait(0)
})
