// Training real models through their methods.
import test from 'ava'
import {
  callbacks,
  datasets,
  type History,
  input,
  layers,
  memory,
  model,
  optimizers,
  sequential,
  setSeed,
  setThreads,
  tensor,
  threads,
} from 'ferrograd'
import { runChild } from '../helpers/child.js'

const { train, test: held } = datasets.digits()
const quiet = { verbose: 0 } as const

function small() {
  const network = sequential({
    inputShape: [8, 8, 1],
    layers: [
      layers.conv2d({ filters: 8, kernelSize: 3, activation: 'relu' }),
      layers.maxPool2d({ poolSize: 2 }),
      layers.flatten(),
      layers.dropout({ rate: 0.2 }),
      layers.dense({ units: 10 }),
    ],
  })
  network.compile({
    optimizer: optimizers.adam({ learningRate: 0.01 }),
    loss: 'softmaxCrossEntropy',
    metrics: ['accuracy', 'topKAccuracy'],
  })
  return network
}

test.serial('a small network reads digits', async (t) => {
  setSeed(1)
  const network = small()
  const { history } = await network.fit(train.images, train.labels, { ...quiet, epochs: 8, validationSplit: 0.1 })
  t.true(history.accuracy!.at(-1)! > 0.9)
  t.true(history.val_topKAccuracy!.at(-1)! > 0.95)
  const { accuracy, loss } = await network.evaluate(held.images, held.labels)
  t.true(accuracy! > 0.9)
  t.true(loss < 0.5)
  const predictions = await network.predict(held.images)
  t.deepEqual(predictions.shape, [360, 10])
})

test.serial('a seed gives the same bits on any number of threads', async (t) => {
  const before = threads()
  const run = async (n: number): Promise<[History, ArrayLike<number>]> => {
    setThreads(n)
    setSeed(5)
    const network = small()
    const history = await network.fit(train.images, train.labels, { ...quiet, epochs: 2, validationSplit: 0.2 })
    return [history, await network.weights[0]!.data()]
  }
  const one = await run(1)
  t.deepEqual(await run(2), one)
  t.deepEqual(await run(3), one)
  setThreads(before)
})

test.serial('memory is the same after 100 and after 300 steps', async (t) => {
  const network = small()
  const seen: number[][] = []
  let step = 0
  const watch = {
    onBatchEnd() {
      step++
      if (step === 100 || step === 300) seen.push([memory().tensors, memory().bytes])
    },
  }
  const data = [train.images, train.labels] as const
  await network.fit(...data, { ...quiet, epochs: 6, batchSize: 28, stepsPerEpoch: 51, callbacks: watch })
  t.is(seen.length, 2)
  t.deepEqual(seen[0], seen[1])
})

test('a model that is built by its first input can be trained', async (t) => {
  const network = sequential({ layers: [layers.dense({ units: 3, activation: 'relu' }), layers.dense({ units: 1 })] })
  network.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
  const x = [
    [1, 2],
    [3, 4],
  ]
  const { epoch } = await network.fit(x, [1, 2], quiet)
  t.deepEqual(epoch, [0])
  const other = sequential({ layers: [layers.dense({ units: 1 })] })
  other.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
  await t.throwsAsync(other.fit(Float32Array.of(1, 2), [1, 2], quiet), {
    message:
      'fit: x is a typed array, which has no shape, and the model leaves the shape of its input open. give it one: tensor(values, { shape: [samples, …] })',
  })
})

test('a model of two inputs', async (t) => {
  const [a, b] = [input({ shape: [2] }), input({ shape: [2] })]
  const network = model({ inputs: [a, b], outputs: layers.dense({ units: 1 }).apply(layers.add().apply([a, b])) })
  network.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
  const x = [
    [
      [1, 2],
      [3, 4],
      [5, 6],
    ],
    tensor([
      [1, 0],
      [0, 1],
      [1, 1],
    ]),
  ]
  const { history } = await network.fit(x, [1, 2, 3], { ...quiet, epochs: 2, batchSize: 2 })
  t.is(history.loss.length, 2)
  t.deepEqual((await network.predict(x, { batchSize: 2 })).shape, [3, 1])
})

test('restored weights include running statistics', async (t) => {
  const network = sequential({ inputShape: [2], layers: [layers.batchNorm(), layers.dense({ units: 1 })] })
  network.compile({ optimizer: 'sgd', loss: 'meanSquaredError' })
  let best: unknown[] = []
  const copy = () => Promise.all(network.weights.map((weight) => weight.data()))
  await network.fit(
    [
      [1, 2],
      [3, 4],
      [5, 7],
      [-1, 0],
    ],
    [1, 2, 3, 4],
    {
      ...quiet,
      epochs: 3,
      callbacks: [
        {
          async onEpochEnd(epoch, logs) {
            Object.assign(logs, { val_loss: epoch === 1 ? 0 : 1 })
            if (epoch === 1) best = await copy()
          },
        },
        callbacks.earlyStopping({ patience: 5, restoreBestWeights: true }),
      ],
    },
  )
  t.deepEqual(await copy(), best as never)
})

test('types help', async (t) => {
  const network = small()
  const x = [[[[1]]]]
  // Only the types matter here.
  const unused = async () => {
    const { history } = await network.fit(x, [1], quiet)
    const accuracies: number[] | undefined = history.val_accuracy
    const losses: number[] = history.loss
    // @ts-expect-error a metric's list may be missing
    const sure: number[] = history.accuracy
    // @ts-expect-error verbose is 0, 1 or 2
    await network.fit(x, [1], { verbose: 3 })
    // @ts-expect-error an option that does not exist
    await network.fit(x, [1], { batch_size: 3 })
    // @ts-expect-error a misspelt name
    network.compile({ optimizer: 'adamm', loss: 'huber' })
    // @ts-expect-error a misspelt name
    network.compile({ optimizer: 'adam', loss: 'mse' })
    // @ts-expect-error a misspelt hook
    await network.fit(x, [1], { callbacks: { onEpochEnds: () => 1 } })
    const { loss, accuracy } = await network.evaluate(x, [1])
    const found: [number, number | undefined] = [loss, accuracy]
    return [accuracies, losses, sure, found]
  }
  t.is(typeof unused, 'function')
})

test('a failure of native work rejects fit, and the process lives', async (t) => {
  const native = new URL('../../dist/native/index.js', import.meta.url).href
  const result = await runChild(`
    import { native } from ${JSON.stringify(native)}
    const model = f.sequential({ inputShape: [2], layers: [f.layers.dense({ units: 1 })] })
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError', metrics: ['meanAbsoluteError'] })
    const callbacks = [{ onBatchEnd: (batch) => batch === 2 && native.panicForTest('conv2d'), onTrainEnd: () => console.log('ended') },
      f.callbacks.earlyStopping({ monitor: 'loss', restoreBestWeights: true })]
    const x = Array.from({ length: 50 }, (_, i) => [i, 1])
    const error = await model.fit(x, x.map(([i]) => i), { verbose: 0, batchSize: 1, epochs: 3, callbacks }).catch((error) => error)
    console.log(error.name, error.message.split(':')[0])
  `)
  t.is(result.stdout, 'ended\nStreamError conv2d failed\n')
  t.is(result.code, 0)
})
