// What callbacks are told, when, and what they may do.
import { setTimeout as wait } from 'node:timers/promises'
import test from 'ava'
import type { Logs } from 'ferrograd'
import type { Callback, Training } from '../../dist/callbacks/callback.js'
import { fit } from '../../dist/training/fit.js'
import { close, counting, linear } from '../helpers/linear.js'

const { x, y } = counting(5)
const quiet = { verbose: 0, shuffle: false, batchSize: 2 } as const

test('hooks are called in order, with their figures', async (t) => {
  const { model, compiled } = linear({ learningRate: 0, metrics: ['meanAbsoluteError'] })
  const calls: unknown[][] = []
  const all: Callback = {
    onTrainBegin: (logs) => calls.push(['train begin', logs]),
    onTrainEnd: (logs) => calls.push(['train end', Object.keys(logs)]),
    onEpochBegin: (epoch, logs) => calls.push(['epoch begin', epoch, logs]),
    onEpochEnd: (epoch, logs) => calls.push(['epoch end', epoch, Object.keys(logs)]),
    onBatchBegin: (batch, logs) => calls.push(['batch begin', batch, logs]),
    onBatchEnd: (batch, logs) => calls.push(['batch end', batch, logs]),
  }
  await fit(model, compiled, x, y, { ...quiet, epochs: 2, validationData: [x, y], callbacks: [all] })
  const epoch = (number: number) => [
    ['epoch begin', number, {}],
    ['batch begin', 0, { batch: 0, size: 2 }],
    ['batch end', 0, { loss: 0.5, meanAbsoluteError: 0.5, batch: 0, size: 2 }],
    ['batch begin', 1, { batch: 1, size: 2 }],
    ['batch end', 1, { loss: 6.5, meanAbsoluteError: 2.5, batch: 1, size: 2 }],
    ['batch begin', 2, { batch: 2, size: 1 }],
    ['batch end', 2, { loss: 16, meanAbsoluteError: 4, batch: 2, size: 1 }],
    ['epoch end', number, ['loss', 'meanAbsoluteError', 'val_loss', 'val_meanAbsoluteError']],
  ]
  const keys = ['loss', 'meanAbsoluteError', 'val_loss', 'val_meanAbsoluteError']
  t.deepEqual(calls, [['train begin', {}], ...epoch(0), ...epoch(1), ['train end', keys]])
})

test('onEpochEnd and the history say the same', async (t) => {
  const { model, compiled } = linear()
  const seen: Logs[] = []
  const { history } = await fit(model, compiled, x, y, {
    ...quiet,
    epochs: 3,
    validationSplit: 0.4,
    callbacks: { onEpochEnd: (_, logs) => seen.push(logs) },
  })
  t.deepEqual(
    seen.map(({ loss }) => loss),
    history.loss,
  )
  t.deepEqual(
    seen.map(({ val_loss }) => val_loss),
    history.val_loss,
  )
})

test('objects and instances mix, hooks may be async and are waited for', async (t) => {
  const { model, compiled } = linear()
  const order: string[] = []
  class Slow implements Callback {
    private readonly mark = 'slow'
    async onEpochEnd() {
      await wait(20)
      order.push(this.mark)
    }
  }
  const quick = { onEpochEnd: () => order.push('quick') }
  await fit(model, compiled, x, y, { ...quiet, epochs: 2, callbacks: [new Slow(), quick, new Slow()] })
  t.deepEqual(order, ['slow', 'quick', 'slow', 'slow', 'quick', 'slow'])
})

test('the last argument is the training', async (t) => {
  const { model, compiled } = linear({ metrics: ['accuracy'] })
  const lines: string[] = []
  let seen: Training | undefined
  await fit(model, compiled, x, y, {
    ...quiet,
    epochs: 3,
    print: (line) => lines.push(line),
    callbacks: {
      onTrainBegin(_logs, training) {
        seen = training
        training.print('hello')
      },
    },
  })
  t.is(seen!.model, model)
  t.is(seen!.optimizer, compiled.optimizer)
  t.is(seen!.metrics, compiled.metrics)
  t.is(seen!.epochs, 3)
  t.is(seen!.steps, 3)
  t.deepEqual(lines, ['hello'])
})

test('steps is stepsPerEpoch, or the length of the batches, or unknown', async (t) => {
  const steps = async (data: Parameters<typeof fit>[2], ...rest: unknown[]) => {
    const { model, compiled } = linear()
    let found: number | undefined
    const callbacks: Callback = { onTrainBegin: (_, training) => (found = training.steps) }
    const options = { verbose: 0, ...(rest.at(-1) as object), callbacks } as const
    await (rest.length > 1 ? fit(model, compiled, data, y, options) : fit(model, compiled, data, options))
    return found
  }
  const batch = { xs: x, ys: y }
  t.is(await steps(x, y, { batchSize: 2, stepsPerEpoch: 7 }), 7)
  t.is(await steps([batch, batch], {}), 2)
  t.is(
    await steps(
      (function* () {
        yield batch
      })(),
      {},
    ),
    undefined,
  )
})

test('a batch hook sees the weights as its batch left them', async (t) => {
  const { model, compiled } = linear()
  const started: number[] = []
  await fit(model, compiled, x, y, {
    ...quiet,
    callbacks: { onBatchEnd: () => started.push(model.seen.length) },
  })
  t.deepEqual(started, [1, 2, 3])
})

test('at most two steps are in flight', async (t) => {
  const { model, compiled } = linear()
  const ahead: number[] = []
  const { x, y } = counting(40)
  await fit(model, compiled, x, y, {
    ...quiet,
    batchSize: 1,
    epochs: 2,
    callbacks: { passive: true, onBatchEnd: (batch) => ahead.push(((model.seen.length - 1) % 40) + 1 - (batch + 1)) },
  })
  t.is(ahead.length, 80)
  t.is(Math.max(...ahead), 1)
  t.true(ahead.filter((n) => n === 1).length >= 70)
})

test('stopTraining ends the epoch with the batch at hand', async (t) => {
  const { model, compiled } = linear({ learningRate: 0 })
  const history = await fit(model, compiled, x, y, {
    ...quiet,
    epochs: 5,
    validationData: [x, y],
    callbacks: {
      onBatchEnd(batch, _logs, training) {
        if (batch === 1) training.model.stopTraining = true
      },
    },
  })
  t.deepEqual(history.epoch, [0])
  t.true(close(history.history.loss[0]!, (0 + 1 + 4 + 9) / 4))
  t.true(close(history.history.val_loss![0]!, 30 / 5))
  t.deepEqual(await model.batches(), [
    [0, 1],
    [2, 3],
  ])
})

test('stopTraining at the end of an epoch ends the training, and the next fit begins anew', async (t) => {
  const { model, compiled } = linear()
  const callbacks: Callback = {
    onEpochEnd(epoch, _logs, training) {
      if (epoch === 1) training.model.stopTraining = true
    },
  }
  t.deepEqual((await fit(model, compiled, x, y, { ...quiet, epochs: 5, callbacks })).epoch, [0, 1])
  t.true(model.stopTraining)
  t.deepEqual((await fit(model, compiled, x, y, { ...quiet, epochs: 3 })).epoch, [0, 1, 2])
})

test('stopTraining in onTrainBegin trains nothing', async (t) => {
  const { model, compiled } = linear()
  const callbacks: Callback = {
    onTrainBegin(_logs, training) {
      training.model.stopTraining = true
    },
  }
  t.deepEqual((await fit(model, compiled, x, y, { ...quiet, callbacks })).epoch, [])
  t.is(model.seen.length, 0)
})

test('a callback may evaluate and predict in the middle', async (t) => {
  const { evaluate } = await import('../../dist/training/evaluate.js')
  const { predict } = await import('../../dist/training/predict.js')
  const { model, compiled } = linear({ learningRate: 0, metrics: ['meanAbsoluteError'] })
  const found: number[] = []
  const { history } = await fit(model, compiled, x, y, {
    ...quiet,
    callbacks: {
      async onBatchEnd() {
        found.push((await evaluate(model, compiled, [[1, 1]], [8])).meanAbsoluteError!)
        found.push((await (await predict(model, [[1, 1]])).data())[0]!)
      },
    },
  })
  t.deepEqual(found, [8, 0, 8, 0, 8, 0])
  t.true(close(history.meanAbsoluteError![0]!, 2))
})

test('what is no callback is refused', async (t) => {
  const { model, compiled } = linear()
  const hooks = 'onTrainBegin, onTrainEnd, onEpochBegin, onEpochEnd, onBatchBegin and onBatchEnd'
  const cases: [unknown, string][] = [
    [[() => 1], 'fit: callbacks[0] must be an object with hooks such as onEpochEnd. got function (anonymous)'],
    [[{ onEpochEnd: () => 1 }, null], 'fit: callbacks[1] must be an object with hooks such as onEpochEnd. got null'],
    ['log', 'fit: callbacks must be an object with hooks such as onEpochEnd. got "log"'],
    [{ onEpochStop: () => 1 }, `fit: callbacks has no hook onEpochStop. the hooks are ${hooks}`],
    [[{}], `fit: callbacks[0] has none of the hooks ${hooks}`],
    [[{ onEpochEnd: 3 }], 'fit: callbacks[0].onEpochEnd must be a function. got 3'],
  ]
  for (const [callbacks, message] of cases) {
    await t.throwsAsync(fit(model, compiled, x, y, { ...quiet, callbacks: callbacks as never }), {
      instanceOf: TypeError,
      message,
    })
  }
})
