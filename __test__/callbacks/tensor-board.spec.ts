import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { backward, callbacks, layers, losses, memory, scope, sequential, setSeed, tensor } from 'ferrograd'
import sharp from 'sharp'
import { histogramOf } from '../../dist/callbacks/histogram.js'
import { crc32c, type Distribution, type Picture, readRun, records } from '../helpers/events.js'
import { temporaryFolder } from '../helpers/folder.js'

type Options = Parameters<typeof callbacks.tensorBoard>[0]

setSeed(1)
const images = Array.from({ length: 12 }, (_, i) => Math.sin(i + 1))
const x = tensor(
  Array.from({ length: 12 * 16 * 3 }, (_, i) => Math.sin(i * 0.7)),
  { shape: [12, 4, 4, 3] },
)
const y = images.map((value) => (value > 0 ? 1 : 0))

function convNet(channels = 3) {
  const model = sequential({
    inputShape: [4, 4, channels],
    layers: [layers.conv2d({ filters: 5, kernelSize: 3 }), layers.flatten(), layers.dense({ units: 2 })],
  })
  model.compile({ optimizer: 'sgd', loss: 'softmaxCrossEntropy', metrics: ['accuracy'] })
  return model
}

const values = (folder: string, tag: string) =>
  readRun(folder)
    .filter((entry) => entry.tag === tag)
    .map(({ step, value }) => [step, value])

const rounded = (numbers: readonly number[] | undefined) => numbers!.map((value, i) => [i, Math.fround(value)])

test('the checksum is the one of the standard', (t) => {
  t.is(crc32c(Buffer.from('123456789')), 0xe3069283)
})

test('figures of every epoch, for train and validation, and the learning rate', async (t) => {
  const logDir = join(temporaryFolder(t), 'made', 'here')
  const model = convNet()
  const halving = callbacks.learningRateScheduler((epoch, rate) => (epoch === 0 ? rate : rate / 2))
  const before = Date.now() / 1000
  const { history } = await model.fit(x, y, {
    epochs: 3,
    validationSplit: 0.25,
    verbose: 0,
    callbacks: [halving, callbacks.tensorBoard({ logDir })],
  })
  t.deepEqual(readdirSync(logDir).sort(), ['train', 'validation'])
  const [train, validation] = [join(logDir, 'train'), join(logDir, 'validation')]
  for (const name of ['loss', 'accuracy'] as const) {
    t.deepEqual(values(train, `epoch_${name}`), rounded(history[name]))
    t.deepEqual(values(validation, `epoch_${name}`), rounded(history[`val_${name}`]))
  }
  t.deepEqual(values(train, 'epoch_learning_rate'), rounded([0.01, 0.005, 0.0025]))
  const tags = (folder: string) => [...new Set(readRun(folder).map(({ tag }) => tag))]
  t.deepEqual(tags(train), ['epoch_loss', 'epoch_accuracy', 'epoch_learning_rate'])
  t.deepEqual(tags(validation), ['epoch_loss', 'epoch_accuracy'])
  for (const { time } of readRun(train)) t.true(time >= before && time <= Date.now() / 1000)
})

test('figures of batches go on from the steps of the optimizer', async (t) => {
  const logDir = temporaryFolder(t)
  const model = convNet()
  const losses: number[] = []
  const rates: number[] = []
  const watcher = {
    onBatchBegin: (_: number, __: unknown, training: { optimizer: { learningRate: number } }) =>
      void rates.push(training.optimizer.learningRate),
    onBatchEnd: (_: number, logs: { loss: number }) => void losses.push(logs.loss),
  }
  const options = { batchSize: 5, verbose: 0, shuffle: false } as const
  const decay = callbacks.learningRateScheduler((epoch) => 0.1 / (epoch + 1))
  const board = callbacks.tensorBoard({ logDir, updateFreq: 'batch' })
  await model.fit(x, y, { ...options, epochs: 2, callbacks: [decay, watcher, board] })
  await model.fit(x, y, { ...options, epochs: 3, initialEpoch: 2, callbacks: [decay, watcher, board] })
  t.is(losses.length, 9)
  const train = join(logDir, 'train')
  t.deepEqual(values(train, 'batch_loss'), rounded(losses))
  t.deepEqual(values(train, 'batch_learning_rate'), rounded(rates))
  t.deepEqual(
    values(train, 'epoch_loss').map(([step]) => step),
    [0, 1, 2],
  )
  const every = temporaryFolder(t)
  await convNet().fit(x, y, {
    ...options,
    epochs: 3,
    callbacks: callbacks.tensorBoard({ logDir: every, updateFreq: 4 }),
  })
  t.deepEqual(
    values(join(every, 'train'), 'batch_accuracy').map(([step]) => step),
    [0, 4, 8],
  )
})

test('with steps in flight each batch has its own learning rate', async (t) => {
  const logDir = temporaryFolder(t)
  const model = convNet()
  const { schedules, optimizers } = await import('ferrograd')
  const schedule = schedules.exponentialDecay({ initialLearningRate: 0.5, decaySteps: 1, decayRate: 0.5 })
  model.compile({ optimizer: optimizers.sgd({ learningRate: schedule }), loss: 'softmaxCrossEntropy' })
  await model.fit(x, y, {
    batchSize: 2,
    epochs: 1,
    verbose: 0,
    callbacks: callbacks.tensorBoard({ logDir, updateFreq: 'batch' }),
  })
  const rates = Array.from({ length: 6 }, (_, i) => schedule.at(i))
  t.deepEqual(values(join(logDir, 'train'), 'batch_learning_rate'), rounded(rates))
  t.is(new Set(rates).size, 6)
})

test('histograms of weights at the end of the epoch and of the gradients of its last batch', async (t) => {
  const logDir = temporaryFolder(t)
  const model = convNet()
  const before = model.getWeights()
  await model.fit(x, y, {
    batchSize: 12,
    epochs: 3,
    shuffle: false,
    verbose: 0,
    callbacks: callbacks.tensorBoard({ logDir, histograms: 2 }),
  })
  const entries = readRun(join(logDir, 'train')).filter(({ tag }) => /^(weights|gradients)\//.test(tag))
  const names = model.weights.map(({ name }) => name)
  t.deepEqual(
    entries.map(({ tag, step }) => `${step} ${tag}`),
    [0, 2].flatMap((step) =>
      ['weights', 'gradients'].flatMap((kind) => names.map((name) => `${step} ${kind}/${name}`)),
    ),
  )
  // The first step over again.
  const again = convNet()
  again.setWeights(before)
  const first = scope(() => {
    const gradients = backward(
      losses.softmaxCrossEntropy(again.forward(x, { training: true }), tensor(y, { dtype: 'int32' })),
    )
    return again.weights.map((weight) => gradients.get(weight))
  })
  for (const [i, gradient] of first.entries()) {
    const [after, dy] = await Promise.all([model.weights[i]!.data(), gradient.data()])
    checkHistogram(t, entries[names.length + i]!.value as Distribution, [...dy], 1e-5)
    checkHistogram(t, entries[3 * names.length - names.length + i]!.value as Distribution, [...after])
  }
})

function checkHistogram(
  t: import('ava').ExecutionContext,
  found: Distribution,
  numbers: number[],
  tolerance = 1e-12,
): void {
  const { min, max, num, sum, sumSquares, limits, buckets } = found
  const near = (a: number, b: number, size = 1) => t.true(Math.abs(a - b) <= tolerance * Math.max(size, 1), `${a} ${b}`)
  near(min, Math.min(...numbers))
  near(max, Math.max(...numbers))
  t.is(num, numbers.length)
  near(
    sum,
    numbers.reduce((a, b) => a + b, 0),
    num,
  )
  near(
    sumSquares,
    numbers.reduce((a, b) => a + b * b, 0),
    num,
  )
  t.is(
    buckets.reduce((a, b) => a + b, 0),
    num,
  )
  t.is(limits.length, buckets.length)
  t.is(limits.at(-1), max)
  if (tolerance > 1e-12) return
  // What lies next to an edge may be on either side of it.
  const slack = 1e-12 * (max - min)
  limits.forEach((limit, i) => {
    const below = buckets.slice(0, i + 1).reduce((a, b) => a + b, 0)
    t.true(below >= numbers.filter((value) => value < limit - slack).length)
    t.true(below <= numbers.filter((value) => value <= limit + slack).length)
  })
}

test('histograms of odd tensors', async (t) => {
  const of = async (numbers: number[], dtype: 'float32' | 'float64' = 'float64') =>
    histogramOf(tensor(numbers, { dtype, shape: [numbers.length] }))
  const whole = await of(Array.from({ length: 31 }, (_, i) => i))
  t.deepEqual(whole.bucket, [...new Array(29).fill(1), 2])
  t.deepEqual(await of([Number.NaN, 3, Infinity, 3]), {
    ...{ min: 3, max: 3, num: 2, sum: 6, sumSquares: 18 },
    ...{ bucketLimit: [3], bucket: [2] },
  })
  t.deepEqual(await of([Number.NaN]), { bucketLimit: [0], bucket: [0] })
  t.deepEqual(await of([]), { bucketLimit: [0], bucket: [0] })
  const huge = await of([-Number.MAX_VALUE, 0, Number.MAX_VALUE])
  t.deepEqual([huge.bucket![0], huge.bucket![15], huge.bucket![29]], [1, 1, 1])
  const tiny = await of([0, Number.MIN_VALUE])
  t.is(
    tiny.bucket!.reduce((a, b) => a + b),
    2,
  )
  const many = await of(
    Array.from({ length: 3 << 20 }, (_, i) => i % 30),
    'float32',
  )
  t.is(many.num, 3 << 20)
  t.true(many.bucket!.every((count) => Math.abs(count - (3 << 20) / 30) < 1))
})

test('pictures of first filters: coloured, by channel, and of a dense layer as images', async (t) => {
  const draw = async (model: ReturnType<typeof sequential>, input: ReturnType<typeof tensor>) => {
    const logDir = temporaryFolder(t)
    const board = callbacks.tensorBoard({ logDir, images: 2 })
    await model.fit(input, y, { epochs: 3, verbose: 0, callbacks: board })
    const found = readRun(join(logDir, 'train')).filter(({ tag }) => tag.startsWith('filters/'))
    t.deepEqual(
      found.map(({ step }) => step),
      [0, 2],
    )
    const { height, width, channels, png } = found[1]!.value as Picture
    const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true })
    t.deepEqual([info.height, info.width], [height, width])
    return {
      tag: found[1]!.tag,
      height,
      width,
      channels,
      at: (row: number, column: number) => [
        ...data.subarray((row * width + column) * info.channels, (row * width + column) * info.channels + channels),
      ],
    }
  }
  const coloured = convNet()
  const picture = await draw(coloured, x)
  // 5 tiles of 3 x 3 in 3 columns and 2 rows are 11 x 7 pixels, 23 times as large.
  t.deepEqual([picture.tag, picture.width, picture.height, picture.channels], ['filters/conv2d_1/kernel', 253, 161, 3])
  const kernel = (await coloured.weights[0]!.array()) as number[][][][]
  for (const filter of [0, 4]) {
    const all = kernel.flat(2).map((filters) => filters[filter]!)
    const [min, max] = [Math.min(...all), Math.max(...all)]
    const shade = (value: number) => Math.round((255 * (value - min)) / (max - min))
    const [row, column] = [Math.floor(filter / 3) * 4 + 2, (filter % 3) * 4 + 1]
    const pixel = picture.at(row * 23 + 11, column * 23 + 22)
    pixel.forEach((value, c) => {
      t.true(Math.abs(value - shade(kernel[2]![1]![c]![filter]!)) <= 1)
    })
  }
  const two = await draw(convNet(2), tensor(new Float32Array(12 * 16 * 2).fill(1), { shape: [12, 4, 4, 2] }))
  // 10 tiles in 4 columns and 3 rows.
  t.deepEqual([two.width, two.height, two.channels], [15 * 17, 11 * 17, 1])
  const linear = sequential({ inputShape: [4, 4, 1], layers: [layers.flatten(), layers.dense({ units: 2 })] })
  linear.compile({ optimizer: 'sgd', loss: 'softmaxCrossEntropy' })
  const templates = await draw(linear, tensor(new Float32Array(12 * 16).fill(1), { shape: [12, 4, 4, 1] }))
  t.deepEqual([templates.tag, templates.width, templates.height], ['filters/dense_1/kernel', 9 * 28, 4 * 28])
})

test.serial('nothing is left in native memory, whatever ends the training', async (t) => {
  const logDir = temporaryFolder(t)
  const model = convNet()
  const train = (callback: object) =>
    model.fit(x, y, {
      ...{ epochs: 2, batchSize: 3, verbose: 0 },
      callbacks: [callbacks.tensorBoard({ logDir, histograms: 1, images: 1, updateFreq: 'batch' }), callback],
    })
  await train({ onEpochEnd() {} })
  const { tensors } = memory()
  await train({ onEpochEnd() {} })
  t.is(memory().tensors, tensors)
  const failing = {
    onBatchEnd() {
      throw new Error('mine')
    },
  }
  await t.throwsAsync(train(failing), { message: 'mine' })
  t.is(memory().tensors, tensors)
})

test('equal names of weights get numbers', async (t) => {
  const logDir = temporaryFolder(t)
  const inner = () => sequential({ layers: [layers.dense({ units: 2, useBias: false, name: 'same' })] })
  const model = sequential({ inputShape: [2], layers: [inner(), inner()] })
  model.compile({ optimizer: 'sgd', loss: 'softmaxCrossEntropy' })
  await model.fit([[1, 2]], [0], { verbose: 0, callbacks: callbacks.tensorBoard({ logDir, histograms: 1 }) })
  t.deepEqual(
    readRun(join(logDir, 'train'))
      .map(({ tag }) => tag)
      .filter((tag) => tag.startsWith('weights')),
    ['weights/same/kernel', 'weights/same/kernel_2'],
  )
})

test('the reader sees what is broken', async (t) => {
  const logDir = temporaryFolder(t)
  await convNet().fit(x, y, { verbose: 0, callbacks: callbacks.tensorBoard({ logDir }) })
  const folder = join(logDir, 'train')
  const bytes = readFileSync(join(folder, readdirSync(folder)[0]!))
  t.is(records(bytes).length, 2)
  for (const [at, message] of [
    [0, /^length at 0$/],
    [14, /^data at 0$/],
    [bytes.length - 1, /^data at/],
  ] as const) {
    const broken = Buffer.from(bytes)
    broken[at]! ^= 1
    t.throws(() => records(broken), { message })
  }
})

test('what cannot be written or shown is an error before the first epoch', async (t) => {
  const folder = temporaryFolder(t)
  const file = join(folder, 'file')
  writeFileSync(file, '')
  const began: number[] = []
  const watcher = { onEpochBegin: (epoch: number) => void began.push(epoch) }
  const train = (model: ReturnType<typeof sequential>, input: typeof x, options: Options) =>
    model.fit(input, y, { verbose: 0, callbacks: [callbacks.tensorBoard(options), watcher] })
  await t.throwsAsync(train(convNet(), x, { logDir: file }), {
    message: `tensorBoard ${JSON.stringify(file)}: nothing can be written into ${JSON.stringify(join(file, 'train'))}. a part of the path is not a folder (ENOTDIR)`,
    code: 'ENOTDIR',
  })
  if (process.getuid?.() !== 0 && existsSync('/proc')) {
    chmodSync(folder, 0o555)
    await t.throwsAsync(train(convNet(), x, { logDir: join(folder, 'a') }), { code: 'EACCES' })
    chmodSync(folder, 0o755)
  }
  const dense = sequential({ inputShape: [2], layers: [layers.dense({ units: 2 })], name: 'flat' })
  dense.compile({ optimizer: 'sgd', loss: 'softmaxCrossEntropy' })
  await t.throwsAsync(train(dense, tensor(new Float32Array(24), { shape: [12, 2] }), { logDir: folder, images: 1 }), {
    instanceOf: TypeError,
    message: `tensorBoard ${JSON.stringify(folder)}: images shows the filters of a first convolution, or of a first dense layer for images. the first weight of model "flat" is "dense_1/kernel" [2, 2]. leave images out`,
  })
  t.deepEqual(began, [])
})

test('options are checked', (t) => {
  const cases: [unknown, string][] = [
    [{}, 'tensorBoard: logDir: path must be the name of a file, or a file: URL. got undefined'],
    [{ logDir: 'a', histograms: 0 }, 'tensorBoard: histograms must be a whole number from 1. got 0'],
    [{ logDir: 'a', images: true }, 'tensorBoard: images must be a whole number. got true'],
    ...[0, 1.5, 'never', -1].map((updateFreq): [unknown, string] => [
      { logDir: 'a', updateFreq },
      `tensorBoard: updateFreq must be 'epoch', 'batch' or a whole number from 1. got ${JSON.stringify(updateFreq)}`,
    ]),
    [
      { logDir: 'a', histogramFreq: 1 },
      'tensorBoard: there is no option histogramFreq (got 1). valid are logDir, histograms, images and updateFreq',
    ],
  ]
  for (const [options, message] of cases) t.throws(() => callbacks.tensorBoard(options as Options), { message })
})
