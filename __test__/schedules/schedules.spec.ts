import test from 'ava'
import { optimizers, type Schedule, schedules } from 'ferrograd'
import { scheduleFrom } from '../../dist/schedules/schedule-from.js'
import { readFixture } from '../helpers/golden.js'

interface ScheduleFile {
  steps: number[]
  cases: { name: string; schedule: string; options: Record<string, unknown>; rates: number[] }[]
}

const golden = readFixture<ScheduleFile>('schedules')
const ours = golden.cases.filter(({ schedule }) => schedule !== 'reduceOnPlateau')

test('there are goldens of every schedule', (t) => {
  t.deepEqual([...new Set(ours.map(({ schedule }) => schedule))].sort(), Object.keys(schedules).sort())
})

for (const { name, schedule, options, rates } of ours) {
  test(`schedules: ${name}`, (t) => {
    // Through JSON, as a file would have it, and once more.
    const made = scheduleFrom('test', { kind: schedule, ...options })
    const again = scheduleFrom('test', JSON.parse(JSON.stringify(made.config())))
    t.deepEqual(again.config(), made.config())
    t.is(made.kind, schedule)
    golden.steps.forEach((step, i) => {
      const rate = made.at(step)
      t.true(Math.abs(rate - rates[i]!) <= 1e-12 * rates[0]!, `step ${step}: ${rate} instead of ${rates[i]}`)
      t.is(again.at(step), rate)
    })
  })
}

test('restarts fall on whole steps, however far away', (t) => {
  for (const lengthFactor of [1, 1.5, 2, 3, 1 + 1e-9]) {
    const schedule = schedules.cosineDecay({ initialLearningRate: 1, decaySteps: 4, restarts: { lengthFactor } })
    let begin = 0
    let length = 4
    for (let i = 0; i < 30 && Number.isInteger(begin); i++, begin += length, length *= lengthFactor) {
      const rate = schedule.at(begin)
      t.true(rate > 1 - 1e-6, `factor ${lengthFactor}, restart ${i} at ${begin}: ${rate}`)
      if (begin > 0) t.true(schedule.at(begin - 1) < 0.6)
    }
  }
})

test('a warm-up rises to what follows, which may be a schedule of your own', (t) => {
  const asked: number[] = []
  const own: Schedule = {
    at: (step) => {
      asked.push(step)
      return step === 0 ? 8 : 1 / step
    },
  }
  const schedule = schedules.warmup({ learningRate: own, warmupSteps: 4 })
  t.deepEqual(
    [0, 1, 2, 3, 4, 5, 6].map((step) => schedule.at(step)),
    [0, 2, 4, 6, 8, 1, 0.5],
  )
  t.deepEqual(asked, [0, 0, 0, 0, 0, 1, 2])
  t.throws(() => schedule.config(), {
    instanceOf: TypeError,
    code: 'ERR_INVALID_ARG_TYPE',
    message:
      'warmup: learningRate is a schedule of your own, which a file cannot hold. use one of schedules.*, or set learningRate to a number first',
  })
  const wrong = schedules.warmup({ learningRate: { at: () => Number.NaN }, warmupSteps: 1 })
  t.throws(() => wrong.at(3), {
    instanceOf: RangeError,
    code: 'ERR_OUT_OF_RANGE',
    message: 'warmup: the schedule after it gave NaN at step 2; a learning rate is a number from 0',
  })
})

test('what is given may change afterwards', (t) => {
  const boundaries = [2, 4]
  const learningRates = [3, 2, 1]
  const schedule = schedules.piecewise({ boundaries, learningRates })
  boundaries[0] = 100
  learningRates.length = 0
  t.deepEqual(
    [0, 1, 2, 3, 4, 5].map((step) => schedule.at(step)),
    [3, 3, 2, 2, 1, 1],
  )
  t.is(schedules.piecewise({ boundaries: [], learningRates: [0.5] }).at(7), 0.5)
})

test('a step is a number from 0', (t) => {
  const schedule = schedules.oneOverT({ initialLearningRate: 1, decaySteps: 1 })
  t.is(schedule.at(0.5), 1 / 1.5)
  for (const step of [-1, Number.NaN, Infinity]) {
    t.throws(() => schedule.at(step), {
      instanceOf: RangeError,
      message: `oneOverT: step must be 0 or more. got ${step}`,
    })
  }
  t.throws(() => schedule.at('1' as never), { message: 'oneOverT: step must be a number. got "1"' })
})

test('options that mean nothing are refused', (t) => {
  const rate = { initialLearningRate: 0.1 }
  const both = { ...rate, decaySteps: 10 }
  const all = ['stepDecay', 'exponentialDecay', 'oneOverT', 'cosineDecay'] as const
  const cases: [keyof typeof schedules, unknown, string][] = [
    ...all.flatMap((kind): [typeof kind, unknown, string][] => [
      [kind, undefined, 'expects an options object. got undefined'],
      [kind, {}, 'initialLearningRate must be a number. got undefined'],
      [kind, { ...both, initialLearningRate: 0 }, 'initialLearningRate must be above 0. got 0'],
      [kind, { ...both, initialLearningRate: Infinity }, 'initialLearningRate must be above 0. got Infinity'],
      [kind, rate, 'decaySteps must be a whole number. got undefined'],
      [kind, { ...rate, decaySteps: 0 }, 'decaySteps must be a whole number from 1. got 0'],
      [kind, { ...rate, decaySteps: 1.5 }, 'decaySteps must be a whole number from 1. got 1.5'],
      [kind, { ...both, decay_steps: 1 }, 'there is no option decay_steps (got 1). did you mean decaySteps?'],
    ]),
    ...(['stepDecay', 'exponentialDecay', 'oneOverT'] as const).flatMap((kind): [typeof kind, unknown, string][] => [
      [kind, { ...both, decayRate: 0 }, 'decayRate must be above 0. got 0'],
      [kind, { ...both, decayRate: Number.NaN }, 'decayRate must be above 0. got NaN'],
      [kind, { ...both, decayRate: '0.5' }, 'decayRate must be a number. got "0.5"'],
    ]),
    ['exponentialDecay', both, 'decayRate must be a number. got undefined'],
    ['cosineDecay', { ...both, alpha: -0.1 }, 'alpha must be 0 or more. got -0.1'],
    ['cosineDecay', { ...both, alpha: 1.1 }, 'alpha must be from 0 to 1. got 1.1'],
    ['cosineDecay', { ...both, restarts: 2 }, 'restarts: expects an options object. got 2'],
    [
      'cosineDecay',
      { ...both, restarts: { tMul: 2 } },
      'restarts: there is no option tMul (got 2). valid are lengthFactor and rateFactor',
    ],
    ['cosineDecay', { ...both, restarts: { lengthFactor: 0.5 } }, 'restarts.lengthFactor must be 1 or more. got 0.5'],
    ['cosineDecay', { ...both, restarts: { rateFactor: 0 } }, 'restarts.rateFactor must be above 0. got 0'],
    ['cosineDecay', { ...both, restarts: { rateFactor: 2 } }, 'restarts.rateFactor must be at most 1. got 2'],
    ['warmup', { warmupSteps: 5 }, 'learningRate must be a number above 0 or a schedule. got undefined'],
    ['warmup', { learningRate: 0, warmupSteps: 5 }, 'learningRate must be above 0. got 0'],
    [
      'warmup',
      { learningRate: {}, warmupSteps: 5 },
      'learningRate must be a number above 0 or a schedule. got an object',
    ],
    ['warmup', { learningRate: 1, warmupSteps: 0 }, 'warmupSteps must be a whole number from 1. got 0'],
    [
      'warmup',
      { learningRate: 1, warmupSteps: 5, initialLearningRate: -1 },
      'initialLearningRate must be 0 or more. got -1',
    ],
    ['piecewise', { boundaries: 5, learningRates: [1, 2] }, 'boundaries must be an array of numbers. got 5'],
    ['piecewise', { boundaries: [5], learningRates: 1 }, 'learningRates must be an array of numbers. got 1'],
    ['piecewise', { boundaries: [0], learningRates: [1, 2] }, 'boundaries[0] must be a whole number from 1. got 0'],
    ['piecewise', { boundaries: [5, 5], learningRates: [1, 2, 3] }, 'boundaries must rise. got [5, 5]'],
    ['piecewise', { boundaries: [5], learningRates: [1, -2] }, 'learningRates[1] must be 0 or more. got -2'],
    [
      'piecewise',
      { boundaries: [5], learningRates: [1] },
      '1 boundaries separate 2 rates, but learningRates has 1. boundaries [5], learningRates [1]',
    ],
  ]
  for (const [kind, options, message] of cases) {
    const error = t.throws(() => schedules[kind](options as never))
    t.is(error?.message, `${kind}: ${message}`)
    t.true('code' in error!)
  }
})

test('an optimizer follows a schedule step by step', (t) => {
  const schedule = schedules.stepDecay({ initialLearningRate: 0.5, decaySteps: 3 })
  const optimizer = optimizers.adam({ learningRate: schedule })
  t.is(optimizer.learningRate, 0.5)
  optimizer.iterations = 7
  t.is(optimizer.learningRate, 0.125)
})
