// Optimizers and their schedules as plain data, and back.
import test from 'ava'
import {
  callbacks,
  FormatError,
  layers,
  type Optimizer,
  optimizers,
  schedules,
  sequential,
  tensor,
  variable,
} from 'ferrograd'
import { optimizerFrom } from '../../dist/optimizers/optimizer-from.js'
import { scheduleFrom } from '../../dist/schedules/schedule-from.js'
import { gradientsOf, stepAlong, variablesOf } from '../helpers/optimizer.js'
import { values } from '../helpers/values.js'

const again = (optimizer: Optimizer): Optimizer =>
  optimizerFrom('loadModel', JSON.parse(JSON.stringify(optimizer.config())))

const cosine = schedules.cosineDecay({ initialLearningRate: 0.1, decaySteps: 4, restarts: true })
const kinds: [Optimizer, Record<string, unknown>][] = [
  [optimizers.sgd(), { learningRate: 0.01, momentum: 0, nesterov: false, weightDecay: 0 }],
  [
    optimizers.sgd({ learningRate: 0.1, momentum: 0.9, nesterov: true, weightDecay: 0.01, clipNorm: 2 }),
    { learningRate: 0.1, clipNorm: 2, momentum: 0.9, nesterov: true, weightDecay: 0.01 },
  ],
  [
    optimizers.adagrad({ initialAccumulatorValue: 0.5, clipValue: 0.5 }),
    { learningRate: 0.001, clipValue: 0.5, initialAccumulatorValue: 0.5, epsilon: 1e-7 },
  ],
  [optimizers.adadelta({ rho: 0.8 }), { learningRate: 0.001, rho: 0.8, epsilon: 1e-7 }],
  [
    optimizers.rmsprop({ centered: true, momentum: 0.5, globalClipNorm: 3 }),
    { learningRate: 0.001, globalClipNorm: 3, rho: 0.9, momentum: 0.5, epsilon: 1e-7, centered: true },
  ],
  [
    optimizers.adam({ learningRate: cosine, beta1: 0.8 }),
    {
      learningRate: {
        kind: 'cosineDecay',
        initialLearningRate: 0.1,
        decaySteps: 4,
        alpha: 0,
        restarts: { lengthFactor: 2, rateFactor: 1 },
      },
      beta1: 0.8,
      beta2: 0.999,
      epsilon: 1e-7,
    },
  ],
  [
    optimizers.adamW({ learningRate: schedules.warmup({ learningRate: cosine, warmupSteps: 2 }) }),
    {
      learningRate: { kind: 'warmup', learningRate: cosine.config(), warmupSteps: 2, initialLearningRate: 0 },
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-7,
      weightDecay: 0.004,
    },
  ],
  [optimizers.adamax({ beta2: 0.99 }), { learningRate: 0.001, beta1: 0.9, beta2: 0.99, epsilon: 1e-7 }],
  [optimizers.nadam({ epsilon: 1e-5 }), { learningRate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-5 }],
  [optimizers.lion({ weightDecay: 0.1 }), { learningRate: 0.001, beta1: 0.9, beta2: 0.99, weightDecay: 0.1 }],
]

for (const [optimizer, options] of kinds) {
  test(`${optimizer.kind} ${JSON.stringify(options)} is rebuilt and goes on with the same bits`, async (t) => {
    t.deepEqual(optimizer.config(), { kind: optimizer.kind, ...options } as never)
    const other = again(optimizer)
    t.deepEqual(other.config(), optimizer.config())
    const [firsts, seconds] = [variablesOf('float32'), variablesOf('float32')]
    for (let step = 0; step < 3; step++) stepAlong(optimizer, firsts, gradientsOf(step, 'float32'))
    for (const [i, w] of seconds.entries()) w.assign(firsts[i]!)
    other.load(optimizer.state())
    for (let step = 3; step < 6; step++) {
      stepAlong(optimizer, firsts, gradientsOf(step, 'float32'))
      stepAlong(other, seconds, gradientsOf(step, 'float32'))
    }
    t.is(other.learningRate, optimizer.learningRate)
    for (const [i, w] of firsts.entries()) t.deepEqual(await values(seconds[i]!), await values(w))
  })
}

test('all nine kinds are there', (t) => {
  t.is(new Set(kinds.map(([{ kind }]) => kind)).size, 9)
})

test('the config says the rate that is in use', (t) => {
  const optimizer = optimizers.sgd({ learningRate: cosine })
  optimizer.learningRate = 0.25
  t.is(optimizer.config().learningRate, 0.25)
  optimizer.learningRate = { at: () => 1 }
  t.throws(() => optimizer.config(), {
    instanceOf: TypeError,
    code: 'ERR_INVALID_ARG_TYPE',
    message:
      'sgd: learningRate is a schedule of your own, which a file cannot hold. use one of schedules.*, or set learningRate to a number first',
  })
})

test('callbacks set the rate of optimizers that were named, rebuilt, or had a schedule', async (t) => {
  const named = 'sgd'
  const rebuilt = again(optimizers.sgd({ learningRate: cosine }))
  for (const [optimizer, first] of [
    [named, 0.01],
    [rebuilt, 0.1],
  ] as const) {
    const model = sequential({ inputShape: [1], layers: [layers.dense({ units: 1 })] })
    model.compile({ optimizer, loss: 'meanSquaredError' })
    const used: number[] = []
    await model.fit([[1], [2]], [1, 2], {
      epochs: 2,
      verbose: 0,
      callbacks: [
        callbacks.learningRateScheduler((epoch, rate) => (epoch === 0 ? rate : rate / 2)),
        { onBatchBegin: () => used.push(model.optimizer.learningRate) },
      ],
    })
    t.deepEqual(used, [first, first / 2])
  }
})

test('a file with another optimizer or schedule is refused', (t) => {
  const names = 'sgd, adagrad, adadelta, rmsprop, adam, adamW, adamax, nadam and lion'
  const known = 'stepDecay, exponentialDecay, oneOverT, cosineDecay, warmup and piecewise'
  const adam = { kind: 'adam', learningRate: 0.1 }
  const step = { kind: 'stepDecay', initialLearningRate: 0.1, decaySteps: 3 }
  const deep = (depth: number): object =>
    depth === 0 ? step : { kind: 'warmup', warmupSteps: 1, learningRate: deep(depth - 1) }
  const cases: [unknown, string][] = [
    [undefined, 'the optimizer must be an object with a kind. got undefined'],
    [null, 'the optimizer must be an object with a kind. got null'],
    [[], 'the optimizer must be an object with a kind. got []'],
    ['adam', 'the optimizer must be an object with a kind. got "adam"'],
    [{}, `there is no optimizer of kind undefined. there are ${names}`],
    [{ kind: 'toString' }, `there is no optimizer of kind "toString". there are ${names}`],
    [{ kind: '__proto__' }, `there is no optimizer of kind "__proto__". there are ${names}`],
    [{ kind: 7 }, `there is no optimizer of kind 7. there are ${names}`],
    [
      { ...adam, beta1: 2 },
      'the optimizer cannot be rebuilt. adam: beta1 must be from 0 up to but not including 1. got 2',
    ],
    [
      { ...adam, rho: 2 },
      'the optimizer cannot be rebuilt. adam: there is no option rho (got 2). valid are learningRate, clipValue, clipNorm, globalClipNorm, beta1, beta2 and epsilon',
    ],
    [
      { ...adam, learningRate: '0.1' },
      'the optimizer cannot be rebuilt. adam: learningRate must be a number from 0 or a schedule. got "0.1"',
    ],
    [{ ...adam, learningRate: null }, 'the schedule must be an object with a kind. got null'],
    [{ ...adam, learningRate: { at: 1 } }, `there is no schedule of kind undefined. there are ${known}`],
    [{ ...adam, learningRate: { kind: 'poly' } }, `there is no schedule of kind "poly". there are ${known}`],
    [
      { ...adam, learningRate: { ...step, decaySteps: -1 } },
      'the schedule cannot be rebuilt. stepDecay: decaySteps must be a whole number from 1. got -1',
    ],
    [
      { ...adam, learningRate: { kind: 'warmup', warmupSteps: 1, learningRate: { kind: 'poly' } } },
      `there is no schedule of kind "poly". there are ${known}`,
    ],
    [{ ...adam, learningRate: deep(17) }, 'the schedule holds more than 16 others, one in another'],
    [{ ...adam, learningRate: deep(5000) }, 'the schedule holds more than 16 others, one in another'],
  ]
  for (const [config, message] of cases) {
    t.throws(() => optimizerFrom('loadModel', config), {
      instanceOf: FormatError,
      code: 'ERR_FORMAT',
      message: `loadModel: ${message}`,
    })
  }
  t.notThrows(() => scheduleFrom('loadModel', deep(16)))
})

test('a fresh optimizer of a config has no state', async (t) => {
  const w = variable(tensor([1]))
  const optimizer = optimizers.adam({ learningRate: 0.1 })
  stepAlong(optimizer, [w], [tensor([1])])
  t.deepEqual(again(optimizer).state(), { iterations: 0, variables: [] })
})
