// Models are what the training loop trains.
import test from 'ava'
import {
  backward,
  datasets,
  input,
  layers,
  losses,
  memory,
  model,
  ones,
  optimizers,
  regularizers,
  scope,
  sequential,
  setSeed,
  type Tensor,
  zeros,
} from 'ferrograd'

const { train, test: held } = datasets.digits()

const cnn = () =>
  sequential({
    inputShape: [8, 8, 1],
    layers: [
      layers.conv2d({ filters: 16, kernelSize: 3, padding: 'same', activation: 'relu', kernelInitializer: 'heNormal' }),
      layers.batchNorm({ momentum: 0.9 }),
      layers.maxPool2d({ poolSize: 2 }),
      layers.flatten(),
      layers.dropout({ rate: 0.2, seed: 1 }),
      layers.dense({ units: 10, kernelRegularizer: regularizers.l2({ l2: 1e-4 }) }),
    ],
  })

test.serial('a small network learns digits, the same way with the same seed', async (t) => {
  const run = async () => {
    setSeed(7)
    const net = cnn()
    net.compile({
      optimizer: optimizers.adam({ learningRate: 0.005 }),
      loss: 'softmaxCrossEntropy',
      metrics: ['accuracy'],
    })
    const history = await net.fit(train.images, train.labels, { epochs: 4, batchSize: 32, verbose: 0 })
    return { net, history }
  }
  const { net, history } = await run()
  const { loss, accuracy } = history.history
  t.true(loss[3]! < loss[0]! / 3, String(loss))
  const scores = await net.evaluate(held.images, held.labels)
  t.true(scores.accuracy! > 0.93, String(scores.accuracy))
  t.is(accuracy!.length, 4)
  t.deepEqual((await run()).history, history)
  const predictions = await net.predict(held.images)
  t.deepEqual(predictions.shape, [held.images.shape[0]!, 10])
})

test.serial('a graph with a shortcut trains, its frozen part stays', async (t) => {
  setSeed(3)
  const x = input({ shape: [8, 8, 1] })
  const stem = layers.conv2d({ filters: 8, kernelSize: 3, padding: 'same', activation: 'relu', trainable: false })
  const a = stem.apply(x)
  const b = layers.conv2d({ filters: 8, kernelSize: 3, padding: 'same', activation: 'relu' }).apply(a)
  const pooled = layers.avgPool2d().apply(layers.add().apply([a, b]))
  const net = model({ inputs: x, outputs: layers.dense({ units: 10 }).apply(layers.flatten().apply(pooled)) })
  net.compile({ optimizer: optimizers.sgd({ learningRate: 0.05, momentum: 0.9 }), loss: 'softmaxCrossEntropy' })
  const before = await stem.weights[0]!.data()
  const { history } = await net.fit(train.images, train.labels, { epochs: 2, verbose: 0 })
  t.true(history.loss[1]! < history.loss[0]!)
  t.deepEqual(await stem.weights[0]!.data(), before)
})

test('several inputs go as an array, several outputs in a loop of one’s own', async (t) => {
  const [a, b] = [input({ shape: [2] }), input({ shape: [3] })]
  const joined = layers.concatenate().apply([a, b])
  const net = model({ inputs: [a, b], outputs: layers.dense({ units: 1 }).apply(joined) })
  net.compile({ optimizer: 'adam', loss: 'meanSquaredError' })
  const x: [Tensor, Tensor] = [ones([4, 2]), ones([4, 3])]
  const { loss } = await net.trainOnBatch(x, zeros([4, 1]))
  t.true(Number.isFinite(loss))
  t.deepEqual((await net.predict(x)).shape, [4, 1])

  const two = model({ inputs: [a, b], outputs: [joined, layers.dense({ units: 1 }).apply(joined)], name: 'two' })
  for (const call of [
    () => two.compile({ optimizer: 'adam', loss: 'meanSquaredError' }),
    () => two.fit(x, zeros([4, 1])),
    () => two.evaluate(x, zeros([4, 1])),
    () => two.predict(x),
    () => two.trainOnBatch(x, zeros([4, 1])),
  ]) {
    await t.throwsAsync(async () => call(), {
      message:
        'model "two": training takes a model of one output, and this one has 2. train it with forward, backward and an optimizer',
    })
  }
})

test.serial('a loop of one’s own is plain code', async (t) => {
  setSeed(5)
  const net = sequential({ inputShape: [8, 8, 1], layers: [layers.flatten(), layers.dense({ units: 10 })] })
  const optimizer = optimizers.adam({ learningRate: 0.01 })
  const { images, labels } = train
  const step = () =>
    scope(() => {
      const loss = losses.softmaxCrossEntropy(net.forward(images, { training: true }), labels)
      optimizer.step(backward(loss))
      return loss
    })
  const first = await step().item()
  const before = memory().tensors
  for (let i = 0; i < 30; i++) step().dispose()
  t.is(memory().tensors, before)
  t.true((await step().item()) < first / 2)
})

test('a model without compile says so', async (t) => {
  const net = sequential({ inputShape: [1], layers: [layers.dense({ units: 1 })], name: 'net' })
  t.throws(() => net.optimizer, { message: /^optimizer: model "net" is not compiled/ })
  await t.throwsAsync(net.fit([[1]], [[1]]), {
    message: 'fit: model "net" is not compiled. call compile({ optimizer, loss }) first',
  })
})
