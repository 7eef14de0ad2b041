// Bytes are pixels: 0…255 become 0…1 on their way into a model, in batches, and nowhere else.
import test from 'ava'
import { batches, DTypeError, layers, memory, relu, sequential, setThreads, tensor, threads } from 'ferrograd'

const bytes = Uint8Array.from({ length: 6 * 2 * 2 * 3 }, (_, i) => (i * 37) % 256)
const images = () => tensor(bytes, { shape: [6, 2, 2, 3] })
const labels = Int32Array.of(0, 1, 2, 0, 1, 2)
const f = Math.fround
const quotients = Array.from(bytes, (byte) => f(byte / 255))

async function all(options: Parameters<typeof batches>[1] = {}, xs = images()): Promise<number[]> {
  const found: number[] = []
  for await (const batch of batches({ images: xs, labels }, options)) found.push(...(await batch.xs.data()))
  return found
}

test('batches give float32 from 0 to 1, rounded once', async (t) => {
  for (const size of [1, 4, 6]) t.deepEqual(await all({ size }), quotients)
  for await (const { xs } of batches({ images: images(), labels }, { size: 6 })) {
    t.is(xs.dtype, 'float32')
    t.deepEqual(xs.shape, [6, 2, 2, 3])
  }
})

test('normalize works on channels of 0 to 1, to the bit as float32 arithmetic has it', async (t) => {
  const [mean, std] = [
    [0.4914, 0.4822, 0.4465],
    [0.247, 0.2435, 0.2616],
  ]
  const expected = quotients.map((x, i) => f(f(x - f(mean[i % 3]!)) / f(std[i % 3]!)))
  t.deepEqual(await all({ normalize: { mean, std }, size: 4 }), expected)
  const same = quotients.map((x) => f(f(x - 0.5) / 0.5))
  t.deepEqual(await all({ normalize: { mean: 0.5, std: 0.5 } }), same)
  t.deepEqual(await all({ normalize: { mean: [0.5], std: [0.5, 0.5, 0.5] } }), same)
})

test('normalize takes floats as they are', async (t) => {
  const floats = tensor(
    Float32Array.from({ length: 12 }, (_, i) => i),
    { shape: [6, 2] },
  )
  const got = await all({ normalize: { mean: [1, 2], std: [2, 4] } }, floats)
  t.deepEqual(
    got,
    Array.from({ length: 12 }, (_, i) => (i % 2 === 0 ? (i - 1) / 2 : (i - 2) / 4)),
  )
  for await (const { xs } of batches(
    { images: tensor([[1], [2]], { dtype: 'float64' }), labels: [0, 1] },
    { normalize: { mean: 1, std: 0.1 } },
  )) {
    t.is(xs.dtype, 'float64')
    t.deepEqual(Array.from(await xs.data()), [0, 10])
  }
})

test('int32 and labels stay what they are', async (t) => {
  const source = { images: tensor([[200], [300]], { dtype: 'int32' }), labels: tensor([0, 255], { dtype: 'uint8' }) }
  for await (const { xs, ys } of batches(source)) {
    t.deepEqual([xs.dtype, await xs.array()], ['int32', [[200], [300]]])
    t.deepEqual([ys.dtype, await ys.array()], ['uint8', [0, 255]])
  }
})

test.serial('the number of threads changes nothing', async (t) => {
  const big = {
    images: tensor(
      new Uint8Array(300_000).map((_, i) => i * 7),
      { shape: [100, 1000, 3] },
    ),
    labels: new Int32Array(100),
  }
  const before = threads()
  const results: string[] = []
  for (const n of [1, 2, 5]) {
    setThreads(n)
    for await (const { xs } of batches(big, {
      size: 100,
      shuffle: true,
      seed: 1,
      normalize: { mean: [0.1, 0.2, 0.3], std: 0.3 },
    })) {
      results.push(Buffer.from((await xs.data()).buffer).toString('base64'))
    }
  }
  setThreads(before)
  t.is(new Set(results).size, 1)
})

function model(dtype: 'float32' | 'float64' = 'float32') {
  const net = sequential({
    inputShape: [2, 2, 3],
    layers: [layers.flatten(), layers.dense({ units: 3, kernelInitializer: 'ones' })],
    dtype,
  })
  net.compile({ optimizer: 'sgd', loss: 'softmaxCrossEntropy' })
  return net
}

test('predict, evaluate, trainOnBatch and fit take bytes as the floats that they stand for', async (t) => {
  const floats = tensor(Float32Array.from(quotients), { shape: [6, 2, 2, 3] })
  for (const x of [images(), bytes, new Uint8ClampedArray(bytes)] as const) {
    const [a, b] = [model(), model()]
    t.deepEqual(
      await (await a.predict(x as Uint8Array, { batchSize: 4 })).array(),
      await (await b.predict(floats)).array(),
    )
    t.deepEqual(await a.evaluate(x as Uint8Array, labels), await b.evaluate(floats, labels))
    t.deepEqual(await a.trainOnBatch(x as Uint8Array, labels), await b.trainOnBatch(floats, labels))
    const options = { epochs: 2, batchSize: 4, seed: 1, verbose: 0, validationSplit: 0.2 } as const
    t.deepEqual((await a.fit(x as Uint8Array, labels, options)).history, (await b.fit(floats, labels, options)).history)
    t.deepEqual(
      (await a.fit([{ xs: x as Uint8Array, ys: labels }], { verbose: 0 })).history,
      (await b.fit([{ xs: floats, ys: labels }], { verbose: 0 })).history,
    )
  }
})

test('a model in float64 gets float64', async (t) => {
  const net = model('float64')
  const predicted = await (await net.predict(images())).data()
  t.true(predicted instanceof Float64Array)
  const sum = bytes.slice(0, 12).reduce((total, byte) => total + byte / 255, 0)
  t.true(Math.abs(predicted[0]! - sum) < 1e-12)
})

test('a normalization layer sees pixels as fit gives them', async (t) => {
  const layer = layers.normalization()
  layer.adapt(tensor(new Uint8Array([0, 255]), { shape: [2, 1] }))
  t.deepEqual(await layer.apply(tensor(new Uint8Array([255, 51]), { shape: [2, 1] })).array(), [
    [1],
    [f((f(0.2) - 0.5) / 0.5)],
  ])
  t.deepEqual(await layer.apply(tensor([[1], [0]])).array(), [[1], [-1]])
})

test('ops and layers do not guess', (t) => {
  t.throws(() => relu(images()), {
    instanceOf: DTypeError,
    message:
      "relu: x has dtype uint8, but the op computes on float32 and float64. cast it first: cast(x, { dtype: 'float32' })",
  })
  t.throws(() => model().forward(images()), { instanceOf: DTypeError })
})

test.serial('nothing is left over', async (t) => {
  const source = { images: images(), labels: tensor(labels) }
  const before = memory().tensors
  for await (const _ of batches(source, { normalize: { mean: 0, std: 1 } })) t.is(memory().tensors, before + 2)
  const net = model()
  const made = memory().tensors
  await net.fit(source.images, source.labels, { verbose: 0 })
  await net.fit([{ xs: bytes, ys: labels }], { verbose: 0 })
  ;(await net.predict(bytes)).dispose()
  t.is(memory().tensors, made)
})

test('wrong statistics are refused', (t) => {
  const source = { images: images(), labels }
  const cases: [object, string][] = [
    [{ mean: 0.5 }, 'batches: normalize.std must be a finite number, or an array of them. got undefined'],
    [{ mean: 'x', std: 1 }, 'batches: normalize.mean must be a finite number, or an array of them. got "x"'],
    [
      { mean: [0, Number.NaN], std: 1 },
      'batches: normalize.mean must be a finite number, or an array of them. got [0, NaN]',
    ],
    [{ mean: [], std: 1 }, 'batches: normalize.mean must be a finite number, or an array of them. got []'],
    [{ mean: 0, std: [1, 0, 1] }, 'batches: normalize divides by std, which must be above 0. got 0 (number 1)'],
    [
      { mean: [0, 0], std: [1, 1, 1] },
      'batches: normalize has 2 means and 3 standard deviations. give one of each for each channel',
    ],
    [
      { mean: [0, 0], std: [1, 1] },
      'batches: normalize has numbers for 2 channels, but images has 3. images [6, 2, 2, 3]',
    ],
    [{ mean: 0, sd: 1 }, 'batches: normalize: there is no option sd (got 1). valid are mean and std'],
  ]
  for (const [normalize, message] of cases)
    t.is(t.throws(() => batches(source, { normalize } as never))?.message, message)
  t.throws(() => batches({ xs: tensor([[1]], { dtype: 'int32' }), ys: [0] }, { normalize: { mean: 0, std: 1 } }), {
    instanceOf: DTypeError,
    message:
      "batches: normalize takes pixels (uint8) and floats, but xs has dtype int32. cast it first: cast(xs, { dtype: 'float32' })",
  })
})
