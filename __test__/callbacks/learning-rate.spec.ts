// Callbacks that change the learning rate.
import test from 'ava'
import { callbacks, type Logs } from 'ferrograd'
import { fit } from '../../dist/training/fit.js'
import { readFixture } from '../helpers/golden.js'
import { linear } from '../helpers/linear.js'
import { assertNear } from '../helpers/values.js'

const quiet = { verbose: 0, shuffle: false } as const
const x = [[1, 0]]
const y = [0]

test('learningRateScheduler sets the rate of every epoch', async (t) => {
  const { model, compiled } = linear({ learningRate: 0.5 })
  const asked: number[][] = []
  const used: number[] = []
  await fit(model, compiled, x, y, {
    ...quiet,
    epochs: 3,
    callbacks: [
      callbacks.learningRateScheduler((epoch, rate) => {
        asked.push([epoch, rate])
        return rate / 2
      }),
      { onBatchBegin: (_batch, _logs, { optimizer }) => used.push(optimizer.learningRate) },
    ],
  })
  t.deepEqual(asked, [
    [0, 0.5],
    [1, 0.25],
    [2, 0.125],
  ])
  t.deepEqual(used, [0.25, 0.125, 0.0625])
})

test('learningRateScheduler refuses what is no rate', async (t) => {
  const { model, compiled } = linear()
  for (const rate of [-1, Number.NaN, Infinity, '0.1']) {
    const scheduler = callbacks.learningRateScheduler(() => rate as never)
    await t.throwsAsync(fit(model, compiled, x, y, { ...quiet, callbacks: scheduler }), {
      instanceOf: RangeError,
      message: `learningRateScheduler: the rate of epoch 0 must be a number from 0. got ${rate === '0.1' ? '"0.1"' : rate}`,
    })
  }
  t.throws(() => callbacks.learningRateScheduler(0.1 as never), {
    message: 'learningRateScheduler: expects a function (epoch, rate) => rate. got 0.1',
  })
})

async function rates(values: number[], options: Parameters<typeof callbacks.reduceOnPlateau>[0]): Promise<number[]> {
  const { model, compiled } = linear({ learningRate: 1, metrics: ['accuracy'] })
  const seen: number[] = []
  await fit(model, compiled, x, y, {
    ...quiet,
    epochs: values.length,
    callbacks: [
      { onEpochEnd: (epoch: number, logs: Logs) => Object.assign(logs, { val_loss: values[epoch] }) },
      callbacks.reduceOnPlateau(options),
      { onEpochEnd: (_epoch, _logs, { optimizer }) => seen.push(optimizer.learningRate) },
    ],
  })
  return seen
}

test('reduceOnPlateau reduces after patience epochs without improvement', async (t) => {
  t.deepEqual(await rates([3, 2, 2, 2, 2, 2, 1], { patience: 2, factor: 0.5 }), [1, 1, 1, 0.5, 0.5, 0.25, 0.25])
  t.deepEqual(await rates([3, 3, 3], { patience: 1, factor: 0.5 }), [1, 0.5, 0.25])
})

test('reduceOnPlateau waits in the cooldown', async (t) => {
  t.deepEqual(
    await rates([2, 2, 2, 2, 2, 2, 2], { patience: 1, factor: 0.5, cooldown: 2 }),
    // Epoch 1 reduces; 2 counts down to 1, 3 to 0 and may count again.
    [1, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125],
  )
})

test('reduceOnPlateau stops at the least rate', async (t) => {
  t.deepEqual(await rates([2, 2, 2, 2], { patience: 1, factor: 0.1, minLearningRate: 0.05 }), [1, 0.1, 0.05, 0.05])
})

test('reduceOnPlateau has defaults', async (t) => {
  const eleven = new Array<number>(11).fill(2)
  t.deepEqual(await rates(eleven, {}), [...new Array<number>(10).fill(1), 0.1])
  // An improvement of less than 1e-4 is none.
  t.deepEqual(
    await rates(
      eleven.map((_, i) => 2 - i * 5e-5),
      { minDelta: 0 },
    ),
    new Array<number>(11).fill(1),
  )
  t.is(
    (
      await rates(
        eleven.map((_, i) => 2 - i * 5e-6),
        {},
      )
    ).at(-1),
    0.1,
  )
  t.deepEqual(await rates([1, 2, 3], { patience: 1, mode: 'max' }), [1, 1, 1])
})

test('reduceOnPlateau watches what it is told to', async (t) => {
  t.deepEqual(await rates([1, 2, 3], { monitor: 'loss', patience: 1, factor: 0.5 }), [1, 0.5, 0.25])
  t.deepEqual(await rates([3, 2, 1], { monitor: 'val_loss', patience: 1, factor: 0.5 }), [1, 1, 1])
  await t.throwsAsync(rates([1], { monitor: 'val_recall' }), {
    message:
      'reduceOnPlateau: there is no "val_recall" to watch among loss, accuracy and val_loss. give fit validationData or validationSplit, or set monitor to one of them',
  })
})

test('wrong options of reduceOnPlateau', (t) => {
  const cases: [object, string][] = [
    [{ factor: 0 }, 'reduceOnPlateau: factor must lie between 0 and 1. got 0'],
    [{ factor: 1 }, 'reduceOnPlateau: factor must lie between 0 and 1. got 1'],
    [{ factor: Number.NaN }, 'reduceOnPlateau: factor must be finite. got NaN'],
    [{ patience: 0.5 }, 'reduceOnPlateau: patience must be a whole number from 0. got 0.5'],
    [{ cooldown: -1 }, 'reduceOnPlateau: cooldown must be a whole number from 0. got -1'],
    [{ minLearningRate: -1 }, 'reduceOnPlateau: minLearningRate must be 0 or more. got -1'],
    [
      { minLr: 1 },
      'reduceOnPlateau: there is no option minLr (got 1). valid are monitor, minDelta, mode, factor, patience, cooldown and minLearningRate',
    ],
  ]
  for (const [options, message] of cases) t.is(t.throws(() => callbacks.reduceOnPlateau(options))?.message, message)
})

interface PlateauFile {
  cases: {
    name: string
    schedule: string
    options: Parameters<typeof callbacks.reduceOnPlateau>[0]
    losses: (number | 'NaN')[]
    rates: number[]
  }[]
}

const plateaus = readFixture<PlateauFile>('schedules').cases.filter(({ schedule }) => schedule === 'reduceOnPlateau')
for (const [i, { name, options, losses, rates: wanted }] of plateaus.entries()) {
  test(`golden ${i}: ${name}: as PyTorch, which waits and rests one epoch longer`, async (t) => {
    assertNear(t, await rates(losses.map(Number), options), wanted, 1e-15)
  })
}

test('the plateaus are there', (t) => t.true(plateaus.length >= 9))
