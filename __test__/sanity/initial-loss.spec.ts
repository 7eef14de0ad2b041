import test from 'ava'
import {
  checkInitialLoss,
  datasets,
  div,
  initializers,
  input,
  layers,
  losses,
  type Model,
  max,
  memory,
  model as modelOf,
  mul,
  sequential,
  setSeed,
  type Tensor,
  tensor,
} from 'ferrograd'
import { near, values } from '../helpers/values.js'

const { train } = datasets.digits()
const { images, labels } = train

type Init = Parameters<typeof layers.dense>[0]['kernelInitializer']

function network(init: Init = 'heNormal', last: Init = 'glorotUniform'): Model {
  setSeed(1)
  return sequential({
    inputShape: [8, 8, 1],
    layers: [
      layers.flatten(),
      layers.dense({ units: 32, activation: 'relu', kernelInitializer: init, kernelRegularizer: 'l2' }),
      layers.batchNorm(),
      layers.dropout({ rate: 0.9 }),
      layers.dense({ units: 10, kernelInitializer: last }),
    ],
  })
}

const tiny = initializers.randomNormal({ stdDev: 1e-3 })

for (const [loss, expected, formula] of [
  ['softmaxCrossEntropy', Math.log(10), '-log(1 / 10 classes)'],
  ['svm', 9, '9 wrong classes, each with the margin 1'],
] as const) {
  test(`${loss} of small weights is that of guessing`, async (t) => {
    const model = network(tiny, tiny)
    model.compile({ optimizer: 'adam', loss })
    const report = await checkInitialLoss(model, images, labels)
    t.true(near(report.expected!, expected, 1e-12))
    t.is(report.formula, formula)
    t.true(Math.abs(report.loss - expected) < 0.01 * expected)
    t.true(report.passed)
    t.is(report.examples, 256)
    t.is(report.verdict, 'the loss is about that of guessing, and a penalty raises it')
  })
}

test('the penalty is l2 · Σ w² of all kernels, and those of the model are left out', async (t) => {
  const model = network()
  model.compile({ optimizer: 'sgd', loss: 'softmaxCrossEntropy' })
  const kernels = model.trainableWeights.filter(({ shape }) => shape.length > 1)
  t.is(kernels.length, 2)
  const squares = (await Promise.all(kernels.map(values))).flat().reduce((sum, w) => sum + w * w, 0)
  const one = await checkInitialLoss(model, images, labels, { l2: 1e3 })
  const two = await checkInitialLoss(model, images, labels, { l2: 0.5 })
  t.is(one.loss, two.loss)
  t.true(near(one.lossWithRegularization, one.loss + 1e3 * squares, 1e-5))
  t.true(near(two.lossWithRegularization, two.loss + 0.5 * squares, 1e-5))
})

test('the loss is that of all examples as in training, without dropout', async (t) => {
  const model = network()
  model.compile({ optimizer: 'sgd', loss: 'softmaxCrossEntropy' })
  const count = labels.size
  const report = await checkInitialLoss(model, images, labels, { examples: 10 ** 6 })
  t.is(report.examples, count)
  const still = sequential({ inputShape: [8, 8, 1], layers: [] })
  for (const layer of model.layers) if (layer.kind !== 'dropout') still.add(layer as never)
  const expected = await losses.softmaxCrossEntropy(still.forward(images, { training: true }), labels).item()
  t.true(near(report.loss, expected, 1e-6))
})

test.serial('weights, running statistics, optimizer and memory stay', async (t) => {
  const model = network()
  model.compile({ optimizer: 'adam', loss: 'softmaxCrossEntropy', metrics: ['accuracy'] })
  await model.trainOnBatch(images, labels)
  const before = await Promise.all(model.weights.map(values))
  const state = model.optimizer.state()
  const kept = await values(state.variables[0]!.slots.m!)
  const { tensors, bytes } = memory()
  await checkInitialLoss(model, images, labels)
  t.deepEqual({ tensors: memory().tensors, bytes: memory().bytes }, { tensors, bytes })
  t.deepEqual(await Promise.all(model.weights.map(values)), before)
  t.is(model.optimizer.iterations, 1)
  t.deepEqual(await values(model.optimizer.state().variables[0]!.slots.m!), kept)
})

test('it reads as a few lines', async (t) => {
  const model = network(tiny, tiny)
  model.compile({ optimizer: 'sgd', loss: 'softmaxCrossEntropy' })
  const report = await checkInitialLoss(model, images, labels, { examples: 100 })
  const [head, loss, expected, regularized, ...rest] = String(report).split('\n')
  t.is(head, 'checkInitialLoss: passed. the loss is about that of guessing, and a penalty raises it')
  t.regex(loss!, /^ {2}loss +2\.30\d\d {2}100 examples, no penalties, no dropout$/)
  t.regex(expected!, /^ {2}expected +2\.3026 {2}-log\(1 \/ 10 classes\)$/)
  t.regex(regularized!, /^ {2}with l2 1000 +\d\.\d{4} {2}higher$/)
  t.deepEqual(rest, [])
})

async function check(
  model: Model,
  loss: Parameters<Model['compile']>[0]['loss'],
  x: Parameters<typeof checkInitialLoss>[1] = images,
  y: Parameters<typeof checkInitialLoss>[2] = labels,
) {
  model.compile({ optimizer: 'sgd', loss })
  return checkInitialLoss(model, x, y)
}

test('binaryCrossEntropy is expected at log 2', async (t) => {
  const model = sequential({ inputShape: [2], layers: [layers.dense({ units: 1, kernelInitializer: tiny })] })
  const report = await check(
    model,
    'binaryCrossEntropy',
    [
      [0, 1],
      [1, 1],
      [1, 0],
    ],
    [0, 1, 1],
  )
  t.true(near(report.expected!, Math.LN2, 1e-12))
  t.is(report.formula, '-log(1 / 2)')
  t.true(report.passed)
})

test('a loss of your own is expected at what it gives for scores of 0; labels may be one-hot', async (t) => {
  const own = (p: Tensor, y: Tensor) => losses.svm(p, y, { margin: 2 })
  const report = await check(network(tiny, tiny), own)
  t.is(report.expected, 18)
  t.is(report.formula, 'what your loss gives for scores of 0')
  t.true(report.passed)
  const oneHot = Array.from({ length: 30 }, (_, i) => Array.from({ length: 10 }, (_, j) => Number(i % 10 === j)))
  const some = Array.from({ length: 30 }, () => Array.from({ length: 64 }, () => [0.5])) as never
  const flat = sequential({
    inputShape: [64, 1],
    layers: [layers.flatten(), layers.dense({ units: 10, kernelInitializer: tiny })],
  })
  t.true((await check(flat, 'softmaxCrossEntropy', some, oneHot)).passed)
})

test('it says what it cannot judge', async (t) => {
  const model = sequential({ inputShape: [1], layers: [layers.dense({ units: 1 })] })
  const report = await check(model, 'meanSquaredError', [[1], [2]], [3, 5])
  t.is(report.expected, undefined)
  t.true(report.passed)
  t.is(
    report.verdict,
    'the loss is finite and a penalty raises it. whether it is right cannot be judged: with meanSquaredError it depends on the labels (17.00 for predictions of 0)',
  )
  t.regex(String(report), /\n {2}expected +- {2}with meanSquaredError it depends/)
  const own = await check(model, (p, y) => losses.huber(p, y), [[1], [2]], [3, 5])
  t.true(own.verdict.endsWith('cannot be judged: your loss and its labels do not say what guessing costs'))
})

test('verdicts on broken models and data', async (t) => {
  const large = initializers.randomNormal({ stdDev: 3 })
  const plain = (init: Init = 'heNormal') =>
    sequential({
      inputShape: [8, 8, 1],
      layers: [layers.flatten(), layers.dense({ units: 10, kernelInitializer: init })],
    })
  const broken = (await images.data()).slice(0, 64 * 4)
  broken[64 * 2 + 5] = Number.NaN
  const nan = plain()
  nan.setWeights([new Float32Array(640).fill(Number.NaN), new Float32Array(10)])
  const overflow = plain()
  overflow.setWeights([new Float32Array(640).fill(3e38), new Float32Array(10)])
  const trained = plain()
  trained.compile({ optimizer: 'adam', loss: 'softmaxCrossEntropy' })
  await trained.fit(images, labels, { epochs: 8, verbose: 0 })
  const softmax = sequential({
    inputShape: [8, 8, 1],
    layers: [layers.flatten(), layers.dense({ units: 10 }), layers.activation({ activation: 'softmax' })],
  })
  const frozen = plain()
  frozen.trainable = false
  const lucky = plain('zeros')
  lucky.setWeights([new Float32Array(640).fill(0.01), Float32Array.from({ length: 10 }, (_, i) => (i === 3 ? 5 : 0))])
  const cases: [Model, RegExp, Parameters<typeof checkInitialLoss>[1]?, Parameters<typeof checkInitialLoss>[2]?][] = [
    [
      plain(large),
      /^the loss [\d.]+ is above that of guessing, 2\.303: the weights are too large: scores go from -\d+(\.\d+)? to \d+(\.\d+)? and should be near 0\. initialize with 'heNormal', or smaller in the last layer$/,
    ],
    [
      plain(),
      /^the loss [\d.]+ is above that of guessing, 2\.303: the inputs are not normalised: they go from 0 to 255, mean \d+(\.\d)?\. zero-center and scale them, with preprocessing\.standardize for example$/,
      mul(images, tensor(255)),
    ],
    [
      plain('zeros'),
      /^a penalty changes nothing: all kernels are 0, so all units of a layer stay alike\. initialize them at random, with 'heNormal' for example$/,
    ],
    [frozen, /^a penalty changes nothing: the model has no kernels that learn$/],
    [plain(), /^x holds NaN \(sample 2\)\. clean the data$/, broken, [1, 2, 3, 4]],
    [nan, /^weight "dense_1\/kernel" holds NaN\. make the model anew$/],
    [
      overflow,
      /^the scores hold Infinity although inputs and weights are finite: they overflow on the way\. use smaller weights and normalised inputs, or look at layers of your own$/,
    ],
    [
      softmax,
      /^the scores of every example are shares of 1: the model ends in a softmax, but softmaxCrossEntropy takes logits and has one of its own\. leave out the last activation$/,
    ],
    [
      lucky,
      /^the loss 0\.\d+ is below that of guessing, 2\.303: all labels looked at are 3, so there is nothing to tell apart$/,
      images,
      new Int32Array(labels.size).fill(3),
    ],
    [
      plain(),
      /^label 2 is 10, but model "sequential" tells 10 classes: labels are whole numbers from 0 to 9$/,
      broken,
      [1, 2, 10, 4],
    ],
  ]
  for (const [model, verdict, x = images, y = labels] of cases) {
    const report = await check(model, 'softmaxCrossEntropy', x, y)
    t.regex(report.verdict, verdict)
    t.false(report.passed)
    t.true(String(report).startsWith(`checkInitialLoss: failed. ${report.verdict}\n`))
  }
  trained.compile({ optimizer: trained.optimizer, loss: 'softmaxCrossEntropy' })
  t.regex(
    (await checkInitialLoss(trained, images, labels)).verdict,
    /^the loss \d\.\d+ is below that of guessing, 2\.303: the model is trained already \(its optimizer has done \d+ steps\)$/,
  )
  trained.compile({ optimizer: 'adam', loss: 'softmaxCrossEntropy' })
  t.regex(
    (await checkInitialLoss(trained, images, labels)).verdict,
    /: the model is trained already, or the inputs hold the labels$/,
  )
  const wrongLoss = (p: Tensor) => mul(p, tensor(Number.NaN))
  t.is(
    (await check(plain(), wrongLoss)).verdict,
    'the loss is NaN although the scores are finite: look at the loss function',
  )
  const yes = sequential({ inputShape: [1], layers: [layers.dense({ units: 1 })] })
  t.is(
    (await check(yes, 'binaryCrossEntropy', [[1], [2]], tensor([0, 2]))).verdict,
    'label 1 holds 2, but binaryCrossEntropy takes numbers from 0 (no) to 1 (yes)',
  )
})

test('numbers of words are not to be normalised', async (t) => {
  const large = initializers.randomNormal({ stdDev: 50, seed: 1 })
  const model = sequential({
    inputShape: [2],
    layers: [
      layers.embedding({ inputDim: 100, outputDim: 4, embeddingsInitializer: large }),
      layers.flatten(),
      layers.dense({ units: 3 }),
    ],
  })
  const words = tensor([90, 1, 5, 7, 99, 3], { shape: [3, 2], dtype: 'int32' })
  t.regex((await check(model, 'softmaxCrossEntropy', words, [0, 1, 2])).verdict, /: the weights are too large: /)
})

test('a loss of your own that says nothing of scores of 0 is not judged', async (t) => {
  const own = (p: Tensor, y: Tensor) => mul(losses.softmaxCrossEntropy(p, y), div(max(p), max(p)))
  const report = await check(network(), own)
  t.is(report.expected, undefined)
  t.true(report.passed)
})

test('the inputs of a graph are told apart', async (t) => {
  const [a, b] = [input({ shape: [2] }), input({ shape: [3] })]
  const net = modelOf({
    inputs: [a, b],
    outputs: layers.dense({ units: 4 }).apply(layers.concatenate().apply([a, b])),
  })
  net.compile({ optimizer: 'sgd', loss: 'softmaxCrossEntropy' })
  const report = await checkInitialLoss(net, [[[1, 2]], [[0, 0, Infinity]]], [1])
  t.is(report.verdict, 'x[1] holds Infinity (sample 0). clean the data')
})

test('wrong arguments', async (t) => {
  const model = network()
  const call = (...args: unknown[]) => checkInitialLoss(...(args as Parameters<typeof checkInitialLoss>))
  await t.throwsAsync(call(model, images, labels), {
    instanceOf: TypeError,
    message: 'checkInitialLoss: model "sequential" is not compiled. call compile({ optimizer, loss }) first',
  })
  model.compile({ optimizer: 'sgd', loss: 'softmaxCrossEntropy' })
  const cases: [unknown[], string][] = [
    [[{}, images, labels], 'the first argument must be a model. got an object'],
    [[model, images], 'the labels are missing: give x and y, or batches of { xs, ys }'],
    [[model, images, labels, 5], 'expects an options object. got 5'],
    [[model, images, labels, { examples: 0 }], 'examples must be a whole number from 1. got 0'],
    [[model, images, labels, { tolerance: 0 }], 'tolerance must be above 0. got 0'],
    [[model, images, labels, { l2: -1 }], 'l2 must be above 0. got -1'],
    [[model, images, labels, { seed: 1.5 }], 'seed must be a whole number from 0 to 2^53 - 1. got 1.5'],
    [
      [model, images, labels, { batchSize: 3 }],
      'there is no option batchSize (got 3). valid are examples, tolerance, l2 and seed',
    ],
    [[model, [[1, 2]], labels], 'x has shape [1, 2], but model "sequential" takes [batch, 8, 8, 1]'],
    [[model, images, [1, 2]], `there are ${labels.size} samples, but 2 labels. each sample needs one. labels [2]`],
  ]
  for (const [args, message] of cases) {
    await t.throwsAsync(call(...args), { message: `checkInitialLoss: ${message}` })
  }
  // A check is no training that goes on meanwhile, and leaves the model free.
  const running = checkInitialLoss(model, images, labels)
  await t.throwsAsync(checkInitialLoss(model, images, labels), {
    code: 'ERR_TRAINING',
    message:
      'checkInitialLoss: model "sequential" is training. await its fit, or end it with stopTraining or a signal, before anything else changes the model',
  })
  await running
  t.true((await checkInitialLoss(model, images, labels)).loss > 0)
})
