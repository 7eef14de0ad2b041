// What fit and its companions take, and what they refuse.
import test from 'ava'
import { ShapeError, tensor } from 'ferrograd'
import { compile } from '../../dist/training/compile.js'
import { evaluate } from '../../dist/training/evaluate.js'
import { fit } from '../../dist/training/fit.js'
import { trainOnBatch } from '../../dist/training/train-on-batch.js'
import { close, Linear, linear } from '../helpers/linear.js'

const x = [
  [1, 2],
  [3, 4],
  [5, 6],
]
const y = [1, 2, 3]
const quiet = { verbose: 0, shuffle: false } as const

async function lossOf(...[inputs, labels]: unknown[]): Promise<number> {
  const { model, compiled } = linear({ weight: [[1], [0]], learningRate: 0 })
  return (await fit(model, compiled, inputs as never, labels as never, quiet)).history.loss[0]!
}

test('inputs and labels may be tensors, typed arrays and nested arrays', async (t) => {
  const expected = (0 + 1 + 4) / 3
  const flat = x.flat()
  const inputs = [
    x,
    tensor(x),
    Float32Array.from(flat),
    Float64Array.from(flat),
    tensor(Float32Array.from(flat), { shape: [3, 2] }),
  ]
  const labels = [
    y,
    y.map((label) => [label]),
    Float32Array.from(y),
    Float64Array.from(y),
    Int32Array.from(y),
    Uint8Array.from(y),
    tensor(y),
    tensor(y, { dtype: 'int32' }),
    tensor(y, { dtype: 'float64' }),
    tensor(y.map((label) => [label])),
    tensor(y, { dtype: 'uint8' }),
  ]
  for (const input of inputs) t.true(close(await lossOf(input, y), expected))
  for (const label of labels) t.true(close(await lossOf(x, label), expected))
})

test('floats take the dtype of the weights', async (t) => {
  const { model, compiled } = linear({ weight: [[1], [0]], learningRate: 0, dtype: 'float64' })
  const { history } = await fit(model, compiled, Float32Array.from(x.flat()), y, { ...quiet, sampleWeight: [3, 1, 1] })
  t.is(history.loss[0], 5 / 3)
  t.is(model.weight.dtype, 'float64')
})

test('class indices and one-hot labels give the same loss', async (t) => {
  const loss = async (labels: unknown) => {
    const { model, compiled } = linear({
      weight: [
        [1, 0, 0.5],
        [0, 1, 0],
      ],
      loss: 'softmaxCrossEntropy',
      learningRate: 0,
    })
    return (await fit(model, compiled, x, labels as never, quiet)).history.loss[0]!
  }
  const expected = await loss([0, 1, 2])
  const oneHot = [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ]
  for (const labels of [
    [[0], [1], [2]],
    Int32Array.of(0, 1, 2),
    Uint8Array.of(0, 1, 2),
    Float32Array.of(0, 1, 2),
    tensor([0, 1, 2]),
    tensor([0, 1, 2], { dtype: 'int32' }),
    tensor([0, 1, 2], { dtype: 'uint8' }),
    tensor([[0], [1], [2]], { dtype: 'int32' }),
    oneHot,
    Float32Array.from(oneHot.flat()),
    Uint8Array.from(oneHot.flat()),
    tensor(oneHot),
    tensor(oneHot, { dtype: 'uint8' }),
  ]) {
    t.true(close(await loss(labels), expected))
  }
})

test('what the user does with his data after the call changes nothing', async (t) => {
  const { model, compiled } = linear({ weight: [[1], [0]], learningRate: 0 })
  const [inputs, labels] = [tensor(x), Float32Array.from(y)]
  const training = fit(model, compiled, inputs, labels, { ...quiet, epochs: 3, batchSize: 1 })
  inputs.dispose()
  labels.fill(100)
  const { history } = await training
  for (const loss of history.loss) t.true(close(loss, 5 / 3))
})

test('a model of several inputs takes an array of them', async (t) => {
  class Two extends Linear {
    override readonly inputShape = [
      [null, 2],
      [null, 2],
    ] as never
    override forward(inputs: never, options: { training?: boolean }) {
      const [first] = inputs as [never, never]
      return super.forward(first, options)
    }
  }
  const model = new Two({ weight: [[1], [0]] })
  const compiled = compile(model, { optimizer: 'sgd', loss: 'meanSquaredError' })
  const { loss } = await trainOnBatch(model, compiled, [x, Float32Array.from(x.flat())], y)
  t.true(close(loss, 5 / 3))
  await t.throwsAsync(trainOnBatch(model, compiled, [x], y), {
    instanceOf: TypeError,
    message: 'trainOnBatch: model "linear" has 2 inputs, so x must be an array with one entry for each. got 1 entries',
  })
  await t.throwsAsync(trainOnBatch(model, compiled, tensor(x), y), {
    message: 'trainOnBatch: model "linear" has 2 inputs, so x must be an array with one entry for each. got a Tensor',
  })
  await t.throwsAsync(trainOnBatch(model, compiled, [x, x.slice(1)], y), {
    message: 'trainOnBatch: the inputs have different numbers of samples: 3, 2',
  })
})

test('data that does not fit is refused with the way out', async (t) => {
  const { model, compiled } = linear()
  const cases: [unknown, unknown, string][] = [
    [[[1, 2, 3]], [1], 'fit: x has shape [1, 3], but model "linear" takes [batch, 2]'],
    [
      tensor([1, 2, 3, 4]),
      [1, 2],
      'fit: x has shape [4], but model "linear" takes [batch, 2]. reshape it: reshape(x, [-1, 2])',
    ],
    [
      Float32Array.of(1, 2, 3),
      [1],
      'fit: x is a typed array, which has no shape, and each sample has 2 values and 3 are no multiple of it. give it one: tensor(values, { shape: [samples, …] })',
    ],
    [tensor([], { shape: [0, 2] }), [], 'fit: there are no samples. x has shape [0, 2]'],
    [new Float32Array(0), [], 'fit: there are no samples. x has shape [0, 2]'],
    [x, [1, 2], 'fit: there are 3 samples, but 2 labels. each sample needs one. labels [2]'],
    [x, tensor([1, 2]), 'fit: there are 3 samples, but 2 labels. each sample needs one. labels [2]'],
    [x, tensor(1), 'fit: there are 3 samples, but no labels. each sample needs one. labels []'],
    [x, Float32Array.of(1, 2), 'fit: y has 2 values, but there are 3 samples, each with one label or 1 values'],
    [
      x,
      [
        [1, 2],
        [1, 2],
        [1, 2],
      ],
      'fit: labels of shape [3, 2] do not go with what model "linear" predicts, [batch, 1]. labels are [batch, 1]',
    ],
    [
      'pixels',
      y,
      'fit: x must be a Tensor, a Float32Array, Float64Array, Int32Array or Uint8Array, or nested arrays. got "pixels"',
    ],
    [
      null,
      y,
      'fit: x must be a Tensor, a Float32Array, Float64Array, Int32Array or Uint8Array, or nested arrays. got null',
    ],
    [
      new BigInt64Array(2),
      y,
      'fit: x must be a Tensor, a Float32Array, Float64Array, Int32Array or Uint8Array, or nested arrays. got a BigInt64Array',
    ],
    [x, undefined, 'fit: the labels are missing: give x and y, or batches of { xs, ys }'],
    [
      [[1, 2], [3]],
      [1, 2],
      'tensor: the rows along axis 1 differ: lengths 2 and 1. all rows of an axis are equally long',
    ],
  ]
  for (const [inputs, labels, message] of cases) {
    const error = await t.throwsAsync(fit(model, compiled, inputs as never, labels as never, quiet))
    t.is(error?.message, message)
  }
  await t.throwsAsync(fit(model, compiled, [[1, 2, 3]], [1], quiet), { instanceOf: ShapeError })
  t.is((await fit(model, compiled, x, y, quiet)).epoch.length, 1)
})

test('labels of binaryCrossEntropy lie between 0 and 1, whatever they come in', async (t) => {
  const { model, compiled } = linear({ weight: [[0, 0]], loss: 'binaryCrossEntropy' })
  const wrong = [
    [0, 1],
    [0.5, 2],
  ]
  for (const labels of [wrong, Float32Array.from(wrong.flat()), tensor(wrong)]) {
    await t.throwsAsync(fit(model, compiled, [[1], [1]], labels, quiet), {
      instanceOf: RangeError,
      code: 'ERR_OUT_OF_RANGE',
      message: 'fit: label 1 holds 2, but binaryCrossEntropy takes numbers from 0 (no) to 1 (yes)',
    })
  }
  const { model: one, compiled: single } = linear({ weight: [[0]], loss: 'binaryCrossEntropy' })
  for (const label of [-0.1, Number.NaN]) {
    await t.throwsAsync(fit(one, single, [[1], [1]], [1, label], quiet), {
      message: `fit: label 1 holds ${label}, but binaryCrossEntropy takes numbers from 0 (no) to 1 (yes)`,
    })
  }
  t.is((await fit(one, single, [[1], [1]], [1, 0.25], quiet)).epoch.length, 1)
})

test('labels outside the classes are refused, whatever they come in', async (t) => {
  const { model, compiled } = linear({ weight: [[0, 0, 0]], loss: 'softmaxCrossEntropy' })
  const inputs = [[1], [1]]
  const outside = (label: number) =>
    `fit: label 1 is ${label}, but model "linear" tells 3 classes: labels are whole numbers from 0 to 2`
  const addsUp = (sum: number) =>
    `fit: label 1 adds up to ${sum}, not to 1: it must be one-hot or the probabilities of the classes`
  const cases: [unknown, string][] = [
    [[0, 3], outside(3)],
    [[0, -1], outside(-1)],
    [[0, 1.5], outside(1.5)],
    [[0, Number.NaN], outside(Number.NaN)],
    [Int32Array.of(0, 2 ** 31 - 1), outside(2 ** 31 - 1)],
    [Uint8Array.of(0, 255), outside(255)],
    [tensor([0, 3], { dtype: 'int32' }), outside(3)],
    [tensor([0, 1.5]), outside(1.5)],
    [
      [
        [1, 0, 0],
        [0, 1, 1],
      ],
      addsUp(2),
    ],
    [
      tensor([
        [1, 0, 0],
        [-0.5, 0.5, 1],
      ]),
      'fit: label 1 has a negative number, -0.5: it must be one-hot or the probabilities of the classes',
    ],
    [
      tensor([
        [1, 0, 0],
        [0, 0, 0],
      ]),
      addsUp(0),
    ],
  ]
  for (const [labels, message] of cases) {
    await t.throwsAsync(fit(model, compiled, inputs, labels as never, quiet), {
      instanceOf: RangeError,
      code: 'ERR_OUT_OF_RANGE',
      message,
    })
  }
  await t.throwsAsync(evaluate(model, compiled, inputs, [0, 3]), { message: outside(3).replace('fit', 'evaluate') })
  await t.throwsAsync(trainOnBatch(model, compiled, inputs, [0, 3]), {
    message: outside(3).replace('fit', 'trainOnBatch'),
  })
  await t.throwsAsync(fit(model, compiled, [{ xs: inputs, ys: [0, 3] }], { verbose: 0 }), { message: outside(3) })
  const rows = [
    [1, 0, 0],
    [0, 0.25, 0.75],
  ]
  for (const soft of [rows, tensor(rows)]) await fit(model, compiled, inputs, soft, quiet)
  const svm = linear({ weight: [[0, 0, 0]], loss: 'svm' })
  await t.throwsAsync(fit(svm.model, svm.compiled, inputs, rows, quiet), {
    instanceOf: RangeError,
    message: 'fit: label 1 is not one-hot: it must have one 1 and zeros elsewhere',
  })
  await fit(model, compiled, inputs, [0, 2], quiet)
  t.pass()
})

test('wrong options are refused with what is valid', async (t) => {
  const { model, compiled } = linear()
  const cases: [object, string][] = [
    [{ batchSize: 0 }, 'fit: batchSize must be a whole number from 1. got 0'],
    [{ batchSize: -3 }, 'fit: batchSize must be a whole number from 1. got -3'],
    [{ batchSize: 2.5 }, 'fit: batchSize must be a whole number from 1. got 2.5'],
    [{ batchSize: Number.NaN }, 'fit: batchSize must be a whole number from 1. got NaN'],
    [{ batchSize: 2 ** 53 }, 'fit: batchSize must be a whole number from 1. got 9007199254740992'],
    [{ batchSize: '32' }, 'fit: batchSize must be a whole number. got "32"'],
    [{ epochs: 0 }, 'fit: epochs must be a whole number from 1. got 0'],
    [{ epochs: Infinity }, 'fit: epochs must be a whole number from 1. got Infinity'],
    [{ initialEpoch: -1 }, 'fit: initialEpoch must be a whole number from 0. got -1'],
    [{ stepsPerEpoch: 0 }, 'fit: stepsPerEpoch must be a whole number from 1. got 0'],
    [{ validationSplit: 0 }, 'fit: validationSplit must lie between 0 and 1. got 0'],
    [{ validationSplit: 1 }, 'fit: validationSplit must lie between 0 and 1. got 1'],
    [{ validationSplit: Number.NaN }, 'fit: validationSplit must lie between 0 and 1. got NaN'],
    [{ validationSplit: '0.1' }, 'fit: validationSplit must lie between 0 and 1. got "0.1"'],
    [{ validationSplit: 0.9 }, 'fit: validationSplit 0.9 of 3 samples leaves none to train on'],
    [{ validationSplit: 0.5, validationData: [x, y] }, 'fit: give validationSplit or validationData, not both'],
    [
      { validationData: [x] },
      'fit: validationData must be [x, y], [x, y, sampleWeight] or batches of { xs, ys }. got [[[1, 2], [3, 4], [5, 6]]]',
    ],
    [{ validationData: 3 }, 'fit: validationData must be [x, y], [x, y, sampleWeight] or batches of { xs, ys }. got 3'],
    [
      { validationData: [x, [1]] },
      'fit: validationData: there are 3 samples, but 1 labels. each sample needs one. labels [1]',
    ],
    [{ shuffle: 'batch' }, 'fit: shuffle must be true or false. got "batch"'],
    [{ shuffle: true, seed: -1 }, 'fit: seed must be a whole number from 0 to 2^53 - 1. got -1'],
    [{ shuffle: true, seed: 2 ** 53 }, 'fit: seed must be a whole number from 0 to 2^53 - 1. got 9007199254740992'],
    [{ shuffle: true, seed: Number.NaN }, 'fit: seed must be a whole number from 0 to 2^53 - 1. got NaN'],
    [{ seed: 1 }, 'fit: seed has no effect with shuffle: false'],
    [{ verbose: 3 }, 'fit: verbose must be 0, 1 or 2. got 3'],
    [{ verbose: true }, 'fit: verbose must be 0, 1 or 2. got true'],
    [{ signal: {} }, 'fit: signal must be an AbortSignal. got an object'],
    [{ print: 'stdout' }, 'fit: print must be a function. got "stdout"'],
    [{ classWeight: 5 }, 'fit: classWeight must map classes to weights, such as { 0: 1, 1: 5 }. got 5'],
    [{ classWeight: { 2: 1 } }, 'fit: classWeight names class "2", but model "linear" tells 2 classes, 0 to 1'],
    [{ classWeight: { 1: -1 } }, 'fit: the weight of class 1 is a number from 0. got -1'],
    [{ classWeight: { 1: Number.NaN } }, 'fit: the weight of class 1 is a number from 0. got NaN'],
    [{ sampleWeight: [1, 2] }, 'fit: sampleWeight must have one number for each sample, [3]. got shape [2]'],
    [{ sampleWeight: tensor([1, 2]) }, 'fit: sampleWeight must have one number for each sample, [3]. got shape [2]'],
    [{ sampleWeight: [1, -2, 1] }, 'fit: the weight of a sample is a number from 0. got -2 (sample 1)'],
    [
      { sampleWeight: tensor([1, 2, Infinity]) },
      'fit: the weight of a sample is a number from 0. got Infinity (sample 2)',
    ],
    [{ batch_size: 4 }, 'fit: there is no option batch_size (got 4). did you mean batchSize?'],
    [
      { yieldEvery: 'auto' },
      'fit: there is no option yieldEvery (got "auto"). valid are batchSize, epochs, initialEpoch, stepsPerEpoch, validationSplit, validationData, shuffle, seed, classWeight, sampleWeight, callbacks, verbose, signal and print',
    ],
  ]
  for (const [options, message] of cases) {
    const error = await t.throwsAsync(fit(model, compiled, x, y, { ...quiet, ...options } as never))
    t.is(error?.message, message)
    t.true(error instanceof RangeError || error instanceof TypeError || error instanceof ShapeError)
  }
  t.is(model.seen.length, 0)
  await t.throwsAsync(fit(model, compiled, x, y, 3 as never), { message: 'fit: expects an options object. got 3' })
})

test('a model must be compiled, and have something to train', async (t) => {
  const { model, compiled } = linear()
  for (const [op, call] of [
    ['fit', () => fit(model, undefined, x, y)],
    ['evaluate', () => evaluate(model, undefined, x, y)],
    ['trainOnBatch', () => trainOnBatch(model, undefined, x, y)],
  ] as const) {
    await t.throwsAsync(call(), {
      message: `${op}: model "linear" is not compiled. call compile({ optimizer, loss }) first`,
    })
  }
  model.weight.trainable = false
  model.bias.trainable = false
  await t.throwsAsync(fit(model, compiled, x, y, quiet), {
    code: 'ERR_GRADIENT',
    message: 'fit: model "linear" has no trainable weights: all of its layers are frozen',
  })
  model.bias.trainable = true
  const before = await model.weight.data()
  await fit(model, compiled, x, y, quiet)
  t.deepEqual(await model.weight.data(), before)
  t.not(await model.bias.item(), 0)
})
