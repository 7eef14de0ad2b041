import test from 'ava'
import { callbacks, type Logs, memory, scope, tensor } from 'ferrograd'
import { fit } from '../../dist/training/fit.js'
import { type Linear, linear } from '../helpers/linear.js'

const quiet = { verbose: 0, shuffle: false } as const
const x = [[1, 0]]
const y = [0]

/** A training whose figures are these, one for each epoch; the bias says which epoch the weights are of. */
async function train(
  values: number[],
  options: Parameters<typeof callbacks.earlyStopping>[0],
  more: { key?: string; metrics?: ('accuracy' | 'meanAbsoluteError')[]; fail?: number; signal?: AbortSignal } = {},
) {
  const { key = 'val_loss', metrics = [], fail } = more
  const { model, compiled } = linear({ learningRate: 0, metrics })
  const stopper = callbacks.earlyStopping(options)
  const figures = {
    onEpochEnd(epoch: number, logs: Logs) {
      Object.assign(logs, { [key]: values[epoch] })
      scope(() => model.bias.assign(tensor([epoch])))
    },
  }
  const failing = {
    onEpochEnd(epoch: number) {
      if (epoch === fail) throw new Error('mine')
    },
  }
  const run = fit(model, compiled, x, y, {
    ...quiet,
    epochs: values.length,
    callbacks: [figures, stopper, failing],
    ...(more.signal === undefined ? {} : { signal: more.signal }),
  })
  return { model, stopper, run }
}

const biasOf = async (model: Linear) => model.bias.item()

test('ends after patience epochs without improvement', async (t) => {
  for (const [patience, values, stopped] of [
    [2, [3, 2, 2, 2, 1], 3],
    [0, [3, 2, 2, 1], 2],
    [1, [3, 2, 2, 1], 2],
    [3, [1, 2, 2, 0, 1, 1, 1, 0], 6],
    [5, [3, 3, 3], undefined],
  ] as const) {
    const { stopper, run } = await train([...values], { patience })
    const { epoch } = await run
    t.is(stopper.stoppedEpoch, stopped)
    t.is(epoch.length, stopped === undefined ? values.length : stopped + 1)
  }
})

test('patience is 0 and the figure val_loss unless said otherwise', async (t) => {
  const { stopper, run } = await train([2, 1, 1, 0], {})
  await run
  t.is(stopper.stoppedEpoch, 2)
  t.is(stopper.bestEpoch, 1)
  t.is(stopper.best, 1)
})

test('minDelta is what does not count', async (t) => {
  const { stopper, run } = await train([1, 0.95, 0.9, 0.85], { minDelta: 0.08, patience: 2 })
  await run
  t.is(stopper.stoppedEpoch, undefined)
  t.is(stopper.bestEpoch, 2)
  const strict = await train([1, 0.95, 0.93, 0.5], { minDelta: 0.08, patience: 2 })
  await strict.run
  t.is(strict.stopper.stoppedEpoch, 2)
})

test('mode says which way is up; auto asks the metric', async (t) => {
  const rising = [1, 2, 3, 2, 2]
  const stopped = async (options: object, more = {}) => {
    const { stopper, run } = await train(rising, { patience: 2, ...options }, more)
    await run
    return [stopper.bestEpoch, stopper.stoppedEpoch]
  }
  t.deepEqual(await stopped({ mode: 'max' }), [2, 4])
  t.deepEqual(await stopped({ mode: 'min' }), [0, 2])
  t.deepEqual(await stopped({}), [0, 2])
  const accuracy = { key: 'val_accuracy', metrics: ['accuracy'] }
  t.deepEqual(await stopped({ monitor: 'val_accuracy' }, accuracy), [2, 4])
  t.deepEqual(await stopped({ monitor: 'val_acc' }, accuracy), [2, 4])
  t.deepEqual(await stopped({ monitor: 'val_accuracy', mode: 'min' }, accuracy), [0, 2])
  const error = { key: 'val_meanAbsoluteError', metrics: ['meanAbsoluteError'] }
  t.deepEqual(await stopped({ monitor: 'val_meanAbsoluteError' }, error), [0, 2])
})

test('baseline is to be beaten within the patience', async (t) => {
  const { stopper, run } = await train([5, 4, 3, 2], { baseline: 2.5, patience: 2 })
  await run
  t.is(stopper.stoppedEpoch, 1)
  const beaten = await train([5, 2, 3, 3, 3], { baseline: 2.5, patience: 2 })
  await beaten.run
  t.is(beaten.stopper.stoppedEpoch, 3)
})

test('a NaN is never an improvement', async (t) => {
  const { stopper, run } = await train([Number.NaN, 3, Number.NaN, Number.NaN, 1], { patience: 2 })
  await run
  t.is(stopper.bestEpoch, 1)
  t.is(stopper.stoppedEpoch, 3)
})

test('the best weights come back, whatever ends the training', async (t) => {
  const options = { patience: 2, restoreBestWeights: true }
  const stopped = await train([3, 1, 2, 2, 0], options)
  await stopped.run
  t.is(stopped.stopper.stoppedEpoch, 3)
  t.is(await biasOf(stopped.model), 1)

  const over = await train([3, 1, 2], options)
  await over.run
  t.is(over.stopper.stoppedEpoch, undefined)
  t.is(await biasOf(over.model), 1)

  const failed = await train([3, 1, 2, 2], options, { fail: 2 })
  await t.throwsAsync(failed.run, { message: 'mine' })
  t.is(await biasOf(failed.model), 1)

  const last = await train([3, 2, 1], options)
  await last.run
  t.is(await biasOf(last.model), 2)

  const without = await train([3, 1, 2], { patience: 2 })
  await without.run
  t.is(await biasOf(without.model), 2)
})

test('the best weights come back after an abort in the middle of an epoch', async (t) => {
  const { model, compiled } = linear({ learningRate: 0 })
  const controller = new AbortController()
  const values = [3, 1, 2, 2]
  const history = await fit(model, compiled, [...x, ...x], [0, 0], {
    ...quiet,
    batchSize: 1,
    epochs: 10,
    signal: controller.signal,
    callbacks: [
      {
        onEpochEnd(epoch, logs) {
          Object.assign(logs, { val_loss: values[epoch] })
          model.bias.assign(tensor([epoch]))
        },
        onBatchEnd(batch) {
          if (model.seen.length === 5 && batch === 0) controller.abort()
        },
      },
      callbacks.earlyStopping({ patience: 9, restoreBestWeights: true }),
    ],
  })
  t.deepEqual(history.epoch, [0, 1])
  t.is(await biasOf(model), 1)
})

test('the best weights come back after an error of the data', async (t) => {
  const { model, compiled } = linear({ learningRate: 0.1 })
  let best: ArrayLike<number> = []
  async function* broken() {
    yield { xs: [[1, 1]], ys: [1] }
    yield { xs: [[1, 1]], ys: [-100] }
    throw new Error('no more')
  }
  await t.throwsAsync(
    fit(model, compiled, broken(), {
      verbose: 0,
      stepsPerEpoch: 1,
      epochs: 9,
      validationData: [[[1, 1]], [1]],
      callbacks: [
        callbacks.earlyStopping({ patience: 9, restoreBestWeights: true }),
        {
          async onEpochEnd(epoch) {
            if (epoch === 0) best = await model.weight.data()
          },
        },
      ],
    }),
    { message: 'no more' },
  )
  t.deepEqual(await model.weight.data(), best as never)
})

test.serial('the copies of the weights are freed', async (t) => {
  const before = memory().tensors
  const { model, run } = await train([3, 1, 2, 2, 2], { patience: 2, restoreBestWeights: true })
  await run
  t.is(memory().tensors, before + model.weights.length)
})

test('one stopper serves several trainings', async (t) => {
  const { model, compiled } = linear({ learningRate: 0 })
  const stopper = callbacks.earlyStopping({ monitor: 'loss', patience: 2 })
  for (let i = 0; i < 2; i++) {
    const { epoch } = await fit(model, compiled, x, y, { ...quiet, epochs: 9, callbacks: stopper })
    t.is(epoch.length, 3)
    t.is(stopper.bestEpoch, 0)
  }
})

test('what cannot be watched, and wrong options', async (t) => {
  const { model, compiled } = linear({ metrics: ['accuracy'] })
  const run = (options: object) => fit(model, compiled, x, y, { ...quiet, callbacks: callbacks.earlyStopping(options) })
  await t.throwsAsync(run({}), {
    instanceOf: TypeError,
    message:
      'earlyStopping: there is no "val_loss" to watch among loss and accuracy. give fit validationData or validationSplit, or set monitor to one of them',
  })
  await t.throwsAsync(run({ monitor: 'auc' }), {
    message: 'earlyStopping: there is no "auc" to watch among loss and accuracy. set monitor to one of them',
  })
  const cases: [object, string][] = [
    [{ patience: -1 }, 'earlyStopping: patience must be a whole number from 0. got -1'],
    [{ patience: 1.5 }, 'earlyStopping: patience must be a whole number from 0. got 1.5'],
    [{ minDelta: -1 }, 'earlyStopping: minDelta must be 0 or more. got -1'],
    [{ minDelta: Number.NaN }, 'earlyStopping: minDelta must be 0 or more. got NaN'],
    [{ mode: 'up' }, "earlyStopping: mode must be 'auto', 'min' or 'max'. got \"up\""],
    [{ monitor: 3 }, 'earlyStopping: monitor must be the name of a figure. got 3'],
    [{ restoreBestWeights: 1 }, 'earlyStopping: restoreBestWeights must be true or false. got 1'],
    [{ baseline: '1' }, 'earlyStopping: baseline must be a number. got "1"'],
    [
      { restore: true },
      'earlyStopping: there is no option restore (got true). valid are monitor, minDelta, mode, patience, restoreBestWeights and baseline',
    ],
  ]
  for (const [options, message] of cases) t.is(t.throws(() => callbacks.earlyStopping(options))?.message, message)
})
