import test from 'ava'
import {
  datasets,
  GradientError,
  initializers,
  layers,
  losses,
  type Model,
  memory,
  optimizers,
  overfitSmallBatch,
  relu,
  schedules,
  sequential,
  setSeed,
  tensor,
} from 'ferrograd'
import { values } from '../helpers/values.js'

const { train } = datasets.digits()
const { images, labels } = train
const { sgd } = optimizers

function network(): Model {
  setSeed(1)
  return sequential({
    inputShape: [8, 8, 1],
    layers: [
      layers.randomErasing({ probability: 1 }),
      layers.conv2d({ filters: 8, kernelSize: 3, activation: 'relu', kernelRegularizer: 'l2' }),
      layers.flatten(),
      layers.batchNorm(),
      layers.dropout({ rate: 0.9, seed: 1 }),
      layers.dense({ units: 10, kernelRegularizer: 'l2' }),
    ],
  })
}

test('twenty examples are learned by heart, whatever dropout, random changes and penalties there are', async (t) => {
  const model = network()
  model.compile({ optimizer: 'adam', loss: 'softmaxCrossEntropy' })
  const report = await overfitSmallBatch(model, images, labels)
  t.true(report.passed)
  t.is(report.symptom, undefined)
  t.is(report.accuracy, 1)
  t.is(report.examples, 20)
  const { epoch, history } = report.history
  t.is(report.verdict, `all are right after ${epoch.at(-1)} steps`)
  t.is(history.loss.length, epoch.length)
  t.is(history.accuracy!.length, epoch.length)
  t.is(report.loss, history.loss.at(-1)!)
  t.true(report.loss < history.loss[0]!)
  const lines = String(report).split('\n')
  t.is(lines[0], `overfitSmallBatch: passed on 20 examples. ${report.verdict}`)
  t.regex(lines[1]!, /^ {2}epoch +0 {2}loss +\d+\.\d{4} {2}accuracy 0\.\d{3}$/)
  t.regex(lines.at(-1)!, / accuracy 1\.000$/)
  t.true(lines.length <= 11)
})

test.serial('weights, optimizer and memory stay, unless the weights are wanted', async (t) => {
  const model = network()
  const schedule = { at: (step: number) => 0.01 / (1 + step / 100) }
  model.compile({ optimizer: optimizers.adam({ learningRate: schedule, clipNorm: 5 }), loss: 'svm' })
  await model.trainOnBatch(images, labels)
  const before = await Promise.all(model.weights.map(values))
  const { tensors, bytes } = memory()
  const report = await overfitSmallBatch(model, images, labels, { examples: 10, seed: 3 })
  t.true(report.passed)
  t.deepEqual({ tensors: memory().tensors, bytes: memory().bytes }, { tensors, bytes })
  t.deepEqual(await Promise.all(model.weights.map(values)), before)
  t.is(model.optimizer.iterations, 1)
  t.is(model.optimizer.learningRate, schedule.at(1))
  const again = await overfitSmallBatch(model, images, labels, { examples: 10, seed: 3, restoreWeights: false })
  t.deepEqual(again.history, report.history)
  t.notDeepEqual(await Promise.all(model.weights.map(values)), before)
  t.is(model.optimizer.iterations, 1)
})

test('it trains with the rule of the optimizer: losses of plain descent by hand', async (t) => {
  const model = sequential({
    inputShape: [1],
    dtype: 'float64',
    layers: [layers.dense({ units: 1, kernelInitializer: 'ones', useBias: false, kernelRegularizer: 'l2' })],
  })
  model.compile({ optimizer: sgd({ learningRate: 0.1 }), loss: 'meanSquaredError' })
  const report = await overfitSmallBatch(model, [[2]], [6], { epochs: 50 })
  // The loss is (2w − 6)², w ← w − 0.1 · 4 (2w − 6), so that the distance shrinks to its fifth.
  const expected = [16, 16 / 25, 16 / 625]
  t.true(report.passed)
  t.is(report.accuracy, undefined)
  t.is(report.history.history.accuracy, undefined)
  t.is(report.verdict, 'the loss fell to a hundredth after 2 steps')
  for (const [i, loss] of report.history.history.loss.entries()) t.true(Math.abs(loss - expected[i]!) < 1e-12)
  t.is(String(report).split('\n')[1], '  epoch 0  loss    16.0000')
  model.compile({ optimizer: sgd({ learningRate: 0.125 }), loss: 'meanSquaredError' })
  // This rate goes to the bottom at once.
  t.is((await overfitSmallBatch(model, [[2]], [6])).verdict, 'the loss fell to a hundredth after 1 step')
  model.setWeights([[[3]]])
  t.is((await overfitSmallBatch(model, [[2]], [6])).verdict, 'the loss fell to a hundredth after 0 steps')
})

const dense = (units: number, options: Partial<Parameters<typeof layers.dense>[0]> = {}) =>
  layers.dense({ units, kernelInitializer: initializers.glorotUniform({ seed: 5 }), ...options })

const small = () =>
  sequential({ inputShape: [8, 8, 1], layers: [layers.flatten(), dense(16, { activation: 'tanh' }), dense(10)] })

test('a loss of your own on class indices is a classifier', async (t) => {
  const model = small()
  model.compile({ optimizer: 'adam', loss: (p, y) => losses.svm(p, y, { margin: 2 }) })
  t.is((await overfitSmallBatch(model, images, labels)).accuracy, 1)
  const oneHot = Array.from({ length: 4 }, (_, i) => Array.from({ length: 10 }, (_, j) => Number(i === j)))
  const some = (await images.data()).slice(0, 256)
  const report = await overfitSmallBatch(model, some, oneHot)
  t.is(report.accuracy, undefined)
  t.true(report.passed)
})

test('symptoms', async (t) => {
  const dead = sequential({
    inputShape: [8, 8, 1],
    layers: [
      layers.flatten(),
      dense(16, { activation: 'relu', biasInitializer: initializers.constant({ value: -100 }) }),
      dense(10),
    ],
  })
  const zero = sequential({
    inputShape: [8, 8, 1],
    layers: [layers.flatten(), dense(16, { kernelInitializer: 'zeros' }), dense(10, { kernelInitializer: 'zeros' })],
  })
  const linear = () => sequential({ inputShape: [2], layers: [dense(1)] })
  const nan = small()
  nan.setWeights(nan.weights.map(({ size }) => new Float32Array(size).fill(Number.NaN)))
  const xor = [
    [0, 0],
    [1, 1],
    [0, 1],
    [1, 0],
  ]
  const cases: [Model, optimizers.Optimizer, string, RegExp, unknown?, unknown?][] = [
    [
      small(),
      sgd({ learningRate: 1e-7 }),
      'didNotMove',
      /^the loss did not move: (\d\.\d+) before and \d\.\d+ after 200 steps\. the learning rate 1e-7 is too low, try ten times as much; or no gradient arrives$/,
    ],
    [
      small(),
      sgd({ learningRate: 1e4 }),
      'exploded',
      /^the loss went from \d\.\d+ to \d+(\.\d+)? in \d+ steps: the learning rate 10000 is too high\. try a tenth of it, or clipNorm$/,
    ],
    [
      linear(),
      sgd({ learningRate: 1e3 }),
      'exploded',
      /^the loss went from \d+(\.\d+)? to (NaN|Infinity) in \d+ steps: the learning rate 1000 is too high\. try a tenth of it, or clipNorm$/,
      xor.map((row) => row.map((v) => v + 1)),
      'meanSquaredError',
    ],
    [
      dead,
      sgd({ learningRate: 0.1 }),
      'constantPredictions',
      /^the predictions are the same for all examples: the units of some layer are dead \(a relu that is 0 for all\), or the inputs are the same\. use a smaller learning rate, leakyRelu, or normalised inputs$/,
    ],
    [
      zero,
      sgd({ learningRate: 0.1 }),
      'constantPredictions',
      /^the predictions are the same for all examples: kernel "dense_1\/kernel" is 0, and so is the gradient of what is before it\. initialize it at random$/,
    ],
    [
      small(),
      sgd({ learningRate: 0.01 }),
      'tooFewEpochs',
      /^the loss was still falling, from \d\.\d+ to \d\.\d+ in 200 steps: give more epochs, or a learning rate above 0\.01$/,
    ],
    [
      linear(),
      sgd({ learningRate: 0.5 }),
      'plateau',
      /^the loss stopped at 0\.693\d? after 200 steps: the model is too small for these examples, or the learning rate 0\.5 too high to come closer$/,
      xor,
      'binaryCrossEntropy',
    ],
    [
      linear(),
      sgd({ learningRate: 0.5 }),
      'contradictoryLabels',
      /^samples 1 and 3 are equal but have different labels: nobody can learn both\. clean the labels$/,
      [
        [0, 0],
        [1, 1],
        [0, 1],
        [1, 1],
      ],
      'binaryCrossEntropy',
    ],
    [
      linear(),
      sgd({ learningRate: 0.5 }),
      'notFinite',
      /^the loss was NaN before the first step\. x holds NaN \(sample 2\)\. clean the data$/,
      [
        [0, 0],
        [1, 1],
        [0, Number.NaN],
        [1, 1],
      ],
      'binaryCrossEntropy',
    ],
    [
      nan,
      sgd({ learningRate: 0.5 }),
      'notFinite',
      /^the loss was NaN before the first step\. weight "dense_1\/kernel" holds NaN\. make the model anew$/,
    ],
  ]
  for (const [model, optimizer, symptom, verdict, x, loss = 'softmaxCrossEntropy'] of cases) {
    model.compile({ optimizer, loss: loss as 'svm' })
    const y = x === undefined ? labels : [0, 0, 1, 1]
    const report = await overfitSmallBatch(model, (x ?? images) as never, y, { epochs: 200 })
    t.is(report.symptom, symptom as never, report.verdict)
    t.regex(report.verdict, verdict)
    t.false(report.passed)
    t.true(
      String(report).startsWith(
        `overfitSmallBatch: failed on ${x === undefined ? 20 : 4} examples. ${report.verdict}\n`,
      ),
    )
  }
})

test('a schedule that warms up too long is seen as a rate too low', async (t) => {
  const model = small()
  model.compile({
    optimizer: optimizers.adam({ learningRate: schedules.warmup({ learningRate: 1e-3, warmupSteps: 1e9 }) }),
    loss: 'softmaxCrossEntropy',
  })
  t.is((await overfitSmallBatch(model, images, labels, { epochs: 50 })).symptom, 'didNotMove')
})

test('wrong arguments', async (t) => {
  const model = small()
  const call = (...args: unknown[]) => overfitSmallBatch(...(args as Parameters<typeof overfitSmallBatch>))
  await t.throwsAsync(call(model, images, labels), {
    message: 'overfitSmallBatch: model "sequential" is not compiled. call compile({ optimizer, loss }) first',
  })
  model.compile({ optimizer: 'sgd', loss: 'softmaxCrossEntropy' })
  const cases: [unknown[], string][] = [
    [[relu, images, labels], 'the first argument must be a model. got function relu'],
    [[model, images, labels, null], 'expects an options object. got null'],
    [[model, images, labels, { examples: 0.5 }], 'examples must be a whole number from 1. got 0.5'],
    [[model, images, labels, { epochs: 0 }], 'epochs must be a whole number from 1. got 0'],
    [[model, images, labels, { seed: -1 }], 'seed must be a whole number from 0 to 2^53 - 1. got -1'],
    [[model, images, labels, { restoreWeights: 1 }], 'restoreWeights must be true or false. got 1'],
    [
      [model, images, labels, { steps: 3 }],
      'there is no option steps (got 3). valid are examples, epochs, seed and restoreWeights',
    ],
    [
      [model, images, tensor([10], { dtype: 'int32' })],
      `there are ${labels.size} samples, but 1 labels. each sample needs one. labels [1]`,
    ],
  ]
  for (const [args, message] of cases) {
    await t.throwsAsync(call(...args), { message: `overfitSmallBatch: ${message}` })
  }
  const bad = new Int32Array(labels.size).fill(12)
  await t.throwsAsync(call(model, images, bad), {
    instanceOf: RangeError,
    message:
      'overfitSmallBatch: label 0 is 12, but model "sequential" tells 10 classes: labels are whole numbers from 0 to 9',
  })
  model.trainable = false
  await t.throwsAsync(call(model, images, labels), {
    instanceOf: GradientError,
    message: 'overfitSmallBatch: model "sequential" has no trainable weights: all of its layers are frozen',
  })
})
