import test from 'ava'
import {
  checkInitialLoss,
  datasets,
  GradientError,
  initializers,
  layers,
  learningRateRange,
  type Model,
  memory,
  optimizers,
  overfitSmallBatch,
  sequential,
  setSeed,
} from 'ferrograd'
import { runChild } from '../helpers/child.js'
import { near, values } from '../helpers/values.js'

const { train } = datasets.digits()
const { images, labels } = train

function network(): Model {
  setSeed(1)
  return sequential({
    inputShape: [8, 8, 1],
    layers: [
      layers.flatten(),
      layers.dense({ units: 32, activation: 'relu', kernelInitializer: 'heNormal', kernelRegularizer: 'l2' }),
      layers.batchNorm(),
      layers.dropout({ rate: 0.2 }),
      layers.dense({ units: 10 }),
    ],
  })
}

async function sweep(optimizer: 'sgd' | 'adam', options: Parameters<typeof learningRateRange>[3]) {
  const model = network()
  model.compile({ optimizer, loss: 'softmaxCrossEntropy' })
  return learningRateRange(model, images, labels, options)
}

test('rates rise exponentially, each with the loss after its step', async (t) => {
  // (w − 3)² from w = 1: w ← w − rate · 2 (w − 3).
  const model = sequential({
    inputShape: [1],
    dtype: 'float64',
    layers: [layers.dense({ units: 1, kernelInitializer: 'ones', useBias: false })],
  })
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
  const report = await learningRateRange(model, [[1]], [3], { from: 1e-3, to: 10, steps: 50 })
  let distance = -2
  t.is(report.firstLoss, 4)
  for (const [i, { learningRate, loss }] of report.points.entries()) {
    t.true(near(learningRate, 1e-3 * 1e4 ** (i / 49), 1e-12))
    distance *= 1 - 2 * learningRate
    t.true(near(loss, distance ** 2, 1e-9), `${i}: ${loss} instead of ${distance ** 2}`)
  }
  // It stops at the first loss above twice the first one.
  t.true(report.points.slice(0, -1).every(({ loss }) => loss <= 8))
  t.true(report.points.at(-1)!.loss > 8)
  t.is(report.divergence, report.points.at(-1)!.learningRate)
  const losses = report.points.map(({ loss }) => loss)
  t.is(report.lowest, report.points[losses.indexOf(Math.min(...losses))]!.learningRate)
  t.is(report.suggestion, Math.min(report.steepest!, report.lowest! / 10))
})

test('plain descent on digits: a good rate, and where it explodes', async (t) => {
  const report = await sweep('sgd', { from: 1e-4, to: 100 })
  t.true(report.suggestion! > 5e-3 && report.suggestion! < 1, String(report.suggestion))
  t.true(report.divergence! > report.suggestion!)
  const e = (rate: number) => rate.toExponential(1)
  t.is(
    report.verdict,
    `try ${e(report.suggestion!)}. the loss falls most steeply at ${e(report.steepest!)} and up to ${e(report.lowest!)}; it explodes at ${e(report.divergence!)}`,
  )
  // A training with the suggestion learns; one with the rate of the explosion does not.
  const trained = async (learningRate: number) => {
    const model = network()
    model.compile({ optimizer: optimizers.sgd({ learningRate }), loss: 'softmaxCrossEntropy', metrics: ['accuracy'] })
    return (await model.fit(images, labels, { epochs: 2, verbose: 0, seed: 1 })).history.accuracy!.at(-1)!
  }
  t.true((await trained(report.suggestion!)) > 0.8)
})

test("the notes' sweep from 1e-6 to 1e-3 is too low for plain descent", async (t) => {
  const report = await sweep('sgd', { to: 1e-3, steps: 40 })
  t.is(report.points.length, 40)
  t.is(report.suggestion, undefined)
  t.is(report.steepest, undefined)
  t.is(report.lowest, undefined)
  t.is(report.divergence, undefined)
  t.is(
    report.verdict,
    'the loss does not fall at any rate, and it does not explode up to 1.0e-3. try higher rates, and see overfitSmallBatch',
  )
})

test('the other ends: too high from the start, falling to the last, not finite at all', async (t) => {
  const high = await sweep('sgd', { from: 1e4, to: 1e6 })
  t.is(high.suggestion, undefined)
  t.regex(
    high.verdict,
    /^the loss does not fall at any rate, and it explodes at 1\.\de\+4\. try lower rates, and see overfitSmallBatch$/,
  )
  const falling = await sweep('adam', { to: 2e-3 })
  t.is(falling.lowest, falling.points.at(-1)!.learningRate)
  t.is(falling.suggestion, falling.steepest)
  t.regex(
    falling.verdict,
    /^try \d\.\de-3\. the loss falls most steeply at \d\.\de-3 and still at the last; it does not explode up to 2\.0e-3$/,
  )
  const model = sequential({
    inputShape: [1],
    layers: [layers.dense({ units: 1, kernelInitializer: initializers.ones() })],
  })
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
  const broken = await learningRateRange(model, [[Number.NaN]], [1])
  t.deepEqual(broken.points, [])
  t.is(broken.verdict, 'the loss was NaN before the first step. checkInitialLoss says where that comes from')
})

test('it reads as a table', async (t) => {
  const report = await sweep('adam', { from: 1e-5, to: 1, steps: 60 })
  const [head, columns, ...rows] = String(report).split('\n')
  t.is(head, `learningRateRange: ${report.verdict}`)
  t.is(columns, '      rate        loss')
  t.true(rows.length >= 10 && rows.length <= 21)
  t.is(rows.filter((row) => row.endsWith('  <- about here')).length, 1)
  for (const row of rows) t.regex(row, /^ {4}\d\.\de[+-]\d {2} +\d+\.\d{4}( {2}<- about here)?$/)
})

test.serial('weights, running statistics, optimizer and memory stay', async (t) => {
  const model = network()
  model.compile({ optimizer: 'adam', loss: 'softmaxCrossEntropy', metrics: ['accuracy'] })
  await model.trainOnBatch(images, labels)
  const before = await Promise.all(model.weights.map(values))
  const { tensors, bytes } = memory()
  await learningRateRange(model, images, labels, { steps: 60, batchSize: 64 })
  t.deepEqual({ tensors: memory().tensors, bytes: memory().bytes }, { tensors, bytes })
  t.deepEqual(await Promise.all(model.weights.map(values)), before)
  t.is(model.optimizer.iterations, 1)
  t.is(model.optimizer.learningRate, 0.001)
})

test.serial(
  'the same seed sweeps the same, dropout too, and the random numbers of the user go on undisturbed',
  async (t) => {
    setSeed(3)
    const model = sequential({
      inputShape: [8, 8, 1],
      layers: [
        layers.randomFlip(),
        layers.flatten(),
        layers.dropout({ rate: 0.5 }),
        layers.dropout({ rate: 0.5, seed: 9 }),
        layers.dense({ units: 10, kernelInitializer: initializers.heNormal({ seed: 1 }) }),
      ],
    })
    model.compile({ optimizer: 'adam', loss: 'softmaxCrossEntropy' })
    const train = async () => (await model.forward(images, { training: true }).data()).slice(0, 100)
    setSeed(7)
    const expected = await train()
    for (const layer of model.layers) if ('$drawn' in layer && layer.$drawn !== undefined) layer.$drawn = 0
    setSeed(7)
    const first = await learningRateRange(model, images, labels, { steps: 20, seed: 4 })
    const second = await learningRateRange(model, images, labels, { steps: 20, seed: 4 })
    t.deepEqual(second.points, first.points)
    const third = await learningRateRange(model, images, labels, { steps: 20, seed: 5 })
    t.notDeepEqual(third.points, first.points)
    await checkInitialLoss(model, images, labels)
    await overfitSmallBatch(model, images, labels, { epochs: 3 })
    t.deepEqual(await train(), expected)
  },
)

test('svg draws the losses, the suggestion and the explosion', async (t) => {
  const report = await sweep('sgd', { from: 1e-4, to: 100 })
  const svg = await report.svg()
  t.regex(svg, /^<svg /)
  const e = (rate: number) => rate.toExponential(1)
  for (const text of [
    'Loss while the learning rate rises',
    'learning rate',
    `suggested ${e(report.suggestion!)}`,
    `explodes ${e(report.divergence!)}`,
  ]) {
    t.true(svg.includes(`>${text}<`), text)
  }
  t.regex(svg, /<path [^>]*stroke="#08519c"/)
  const none = await (await sweep('sgd', { to: 1e-5, steps: 10 })).svg()
  t.false(none.includes('suggested'))
})

test('svg says what to install when vega is missing', async (t) => {
  const { stdout, stderr, code } = await runChild(`
    import { register } from 'node:module'
    register('data:text/javascript,' + encodeURIComponent(
      'export const resolve = (name, context, next) => { if (name === "vega") throw new Error("not there"); return next(name, context) }'))
    const model = f.sequential({ inputShape: [1], layers: [f.layers.dense({ units: 1 })] })
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
    const report = await f.learningRateRange(model, [[1]], [1], { steps: 10 })
    await report.svg().catch((error) => console.log(error.code, error.message))`)
  t.is(code, 0, stderr)
  t.is(
    stdout,
    'ERR_NO_VEGA learningRateRange: svg(): charts are drawn by the package vega, which cannot be loaded. npm install vega\n',
  )
})

test('wrong arguments', async (t) => {
  const model = network()
  const call = (...args: unknown[]) => learningRateRange(...(args as Parameters<typeof learningRateRange>))
  await t.throwsAsync(call(model, images, labels), {
    message: 'learningRateRange: model "sequential" is not compiled. call compile({ optimizer, loss }) first',
  })
  model.compile({ optimizer: 'sgd', loss: 'softmaxCrossEntropy' })
  const cases: [unknown[], string][] = [
    [['model', images, labels], 'the first argument must be a model. got "model"'],
    [[model, images, labels, []], 'expects an options object. got []'],
    [[model, images, labels, { from: 0 }], 'from must be above 0. got 0'],
    [[model, images, labels, { to: Infinity }], 'to must be above 0. got Infinity'],
    [[model, images, labels, { from: 1, to: 1e-6 }], 'rates rise, so to must be above from. from 1, to 0.000001'],
    [[model, images, labels, { steps: 9 }], 'steps must be a whole number from 10. got 9'],
    [[model, images, labels, { batchSize: 0 }], 'batchSize must be a whole number from 1. got 0'],
    [[model, images, labels, { examples: 1.5 }], 'examples must be a whole number from 1. got 1.5'],
    [[model, images, labels, { seed: 'a' }], 'seed must be a whole number from 0 to 2^53 - 1. got "a"'],
    [
      [model, images, labels, { epochs: 3 }],
      'there is no option epochs (got 3). valid are from, to, steps, batchSize, examples and seed',
    ],
  ]
  for (const [args, message] of cases) {
    await t.throwsAsync(call(...args), { message: `learningRateRange: ${message}` })
  }
  model.trainable = false
  await t.throwsAsync(call(model, images, labels), {
    instanceOf: GradientError,
    message: 'learningRateRange: model "sequential" has no trainable weights: all of its layers are frozen',
  })
})
