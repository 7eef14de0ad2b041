import test from 'ava'
import { losses, mean, metrics, mul, optimizers, reshape, square, sub, sum, type Tensor } from 'ferrograd'
import { compile } from '../../dist/training/compile.js'
import { fit } from '../../dist/training/fit.js'
import { trainOnBatch } from '../../dist/training/train-on-batch.js'
import { close, Linear, linear } from '../helpers/linear.js'

const x = [
  [1, 0],
  [2, 0],
  [3, 0],
]
const y = [1, 1, 2]
const quiet = { verbose: 0, shuffle: false, batchSize: 2 } as const

test('every name is known', (t) => {
  const model = new Linear()
  const optimizerNames = ['sgd', 'adagrad', 'adadelta', 'rmsprop', 'adam', 'adamW', 'adamax', 'nadam', 'lion'] as const
  const lossNames = [
    'softmaxCrossEntropy',
    'svm',
    'meanSquaredError',
    'meanAbsoluteError',
    'binaryCrossEntropy',
    'huber',
  ] as const
  for (const optimizer of optimizerNames) {
    t.is(compile(model, { optimizer, loss: 'huber' }).optimizer.kind, optimizer)
  }
  for (const loss of lossNames) t.is(compile(model, { optimizer: 'sgd', loss }).loss, losses[loss])
})

test('every name of a loss trains', async (t) => {
  for (const loss of ['meanSquaredError', 'meanAbsoluteError', 'huber', 'binaryCrossEntropy'] as const) {
    const { model, compiled } = linear({ loss, learningRate: 0.01 })
    const labels = loss === 'binaryCrossEntropy' ? [0, 1, 1] : y
    const { history } = await fit(model, compiled, x, labels, { ...quiet, epochs: 20 })
    t.true(history.loss.at(-1)! < history.loss[0]!, loss)
  }
  for (const loss of ['softmaxCrossEntropy', 'svm'] as const) {
    const { model, compiled } = linear({
      loss,
      learningRate: 0.01,
      weight: [
        [0, 0, 0],
        [0, 0, 0],
      ],
    })
    const { history } = await fit(model, compiled, x, y, { ...quiet, epochs: 20 })
    t.true(history.loss.at(-1)! < history.loss[0]!, loss)
  }
})

test('an optimizer with options is used as it is', async (t) => {
  const model = new Linear()
  const optimizer = optimizers.sgd({ learningRate: 0 })
  const compiled = compile(model, { optimizer, loss: losses.meanSquaredError })
  t.is(compiled.optimizer, optimizer)
  t.is(compiled.lossName, 'meanSquaredError')
  await trainOnBatch(model, compiled, x, y)
  t.deepEqual([...(await model.weight.data())], [0, 0])
  t.is(optimizer.iterations, 1)
})

test('a loss may be a function with one number', async (t) => {
  const loss = (predictions: Tensor, labels: Tensor) => mean(square(sub(predictions, labels)))
  const { model, compiled } = linear({ loss, learningRate: 0 })
  const { history } = await fit(model, compiled, x, y, quiet)
  t.true(close(history.loss[0]!, 6 / 3))
  await t.throwsAsync(fit(model, compiled, x, y, { ...quiet, sampleWeight: [1, 1, 1] }), {
    instanceOf: TypeError,
    message:
      'fit: sampleWeight and classWeight have no effect: the loss function loss returns one number and does not use options.weights, its third argument. use it, or return one value for each sample',
  })
})

test('a loss function may use the weights', async (t) => {
  const loss = (predictions: Tensor, labels: Tensor, { weights }: { weights?: Tensor } = {}) => {
    const squares = square(sub(predictions, labels))
    return mean(weights === undefined ? squares : mul(squares, reshape(weights, [-1, 1])))
  }
  const { model, compiled } = linear({ loss, learningRate: 0 })
  const { history } = await fit(model, compiled, x, y, { ...quiet, sampleWeight: [2, 3, 0.5] })
  t.true(close(history.loss[0]!, (2 + 3 + 0.5 * 4) / 3))
})

test('a loss function may return one value for each sample', async (t) => {
  const loss = (predictions: Tensor, labels: Tensor) => sum(square(sub(predictions, labels)), { axis: 1 })
  const { model, compiled } = linear({ loss, learningRate: 0 })
  t.true(close((await fit(model, compiled, x, y, quiet)).history.loss[0]!, 6 / 3))
  const weighed = await fit(model, compiled, x, y, { ...quiet, sampleWeight: [2, 3, 0.5] })
  t.true(close(weighed.history.loss[0]!, (2 + 3 + 0.5 * 4) / 3))
})

test('a loss function gets labels that fit no pattern as they are', async (t) => {
  let seen: readonly number[] = []
  const loss = (predictions: Tensor, labels: Tensor) => {
    seen = labels.shape
    return mean(predictions)
  }
  const { model, compiled } = linear({ loss })
  await fit(model, compiled, x, [[[1, 2]], [[3, 4]], [[5, 6]]], quiet)
  t.deepEqual(seen, [1, 1, 2])
})

test('what a loss function returns is checked', async (t) => {
  const wrong = linear({ loss: (predictions: Tensor) => sum(predictions, { axis: 0 }) })
  await t.throwsAsync(fit(wrong.model, wrong.compiled, x, y, quiet), {
    code: 'ERR_SHAPE',
    message: 'fit: the loss must return one number [] or one value for each sample [2, …]. got shape [1]',
  })
  const none = linear({ loss: (() => 3) as never })
  await t.throwsAsync(fit(none.model, none.compiled, x, y, quiet), {
    instanceOf: TypeError,
    message: 'fit: what the loss returns must be a Tensor. got 3. make one with tensor(values)',
  })
})

test('names that do not exist list those that do', (t) => {
  const model = new Linear()
  const good = { optimizer: 'sgd', loss: 'huber' } as const
  const cases: [object, string][] = [
    [
      { ...good, optimizer: 'adamm' },
      "compile: optimizer must be 'sgd', 'adagrad', 'adadelta', 'rmsprop', 'adam', 'adamW', 'adamax', 'nadam' or 'lion', or one of optimizers.* with options. got \"adamm\"",
    ],
    [
      { ...good, optimizer: 'toString' },
      "compile: optimizer must be 'sgd', 'adagrad', 'adadelta', 'rmsprop', 'adam', 'adamW', 'adamax', 'nadam' or 'lion', or one of optimizers.* with options. got \"toString\"",
    ],
    [
      { ...good, loss: 'mse' },
      "compile: loss must be 'softmaxCrossEntropy', 'svm', 'meanSquaredError', 'meanAbsoluteError', 'binaryCrossEntropy' or 'huber', or a function. got \"mse\"",
    ],
    [
      { ...good, loss: undefined },
      "compile: loss must be 'softmaxCrossEntropy', 'svm', 'meanSquaredError', 'meanAbsoluteError', 'binaryCrossEntropy' or 'huber', or a function. got undefined",
    ],
    [
      { ...good, metrics: ['f1'] },
      "compile: metrics[0] must be 'accuracy', 'binaryAccuracy', 'topKAccuracy', 'precision', 'recall', 'meanSquaredError' or 'meanAbsoluteError', or one of metrics.* with options. got \"f1\"",
    ],
    [{ ...good, metrics: 'accuracy' }, 'compile: metrics must be an array. got "accuracy"'],
    [
      { ...good, metrics: [metrics.precision(), metrics.precision({ classId: 1 })] },
      'compile: two metrics are called "precision". give one of them another name: metrics.precision({ name: … })',
    ],
    [
      { ...good, metrics: ['acc', 'accuracy'] },
      'compile: two metrics are called "accuracy". give one of them another name: metrics.accuracy({ name: … })',
    ],
    [{ ...good, lr: 1 }, 'compile: there is no option lr (got 1). valid are optimizer, loss, metrics and precision'],
  ]
  for (const [options, message] of cases)
    t.throws(() => compile(model, options as never), { instanceOf: TypeError, message })
  t.throws(() => compile(model, undefined as never), { message: 'compile: expects an options object. got undefined' })
})
