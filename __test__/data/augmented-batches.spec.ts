// Batches that are changed on their way.

import test from 'ava'
import {
  augment,
  batches,
  layers,
  memory,
  ones,
  optimizers,
  sequential,
  setSeed,
  type TensorBatch,
  tensor,
} from 'ferrograd'
import { values } from '../helpers/values.js'

const COUNT = 20
const SIZE = 6 * 5 * 3
/** Pixels without a pattern; the label says which sample it is. */
const bytes = Uint8Array.from({ length: COUNT * SIZE }, (_, i) => (i * 7919) % 256)
const train = {
  images: tensor(bytes, { shape: [COUNT, 6, 5, 3] }),
  labels: tensor(Int32Array.from({ length: COUNT }, (_, i) => i)),
}
const every = augment.compose([
  augment.randomCrop({ padding: 2 }),
  augment.horizontalFlip(),
  augment.rotation({ degrees: 20 }),
  augment.colorJitter({ brightness: 0.4, hue: 0.2 }),
  augment.cutout({ size: 2 }),
])

/** The samples of one pass by their labels. */
async function onePass(list: AsyncIterable<TensorBatch>): Promise<Map<number, number[]>> {
  const samples = new Map<number, number[]>()
  for await (const { xs, ys } of list) {
    const all = await values(xs)
    for (const [i, label] of (await values(ys)).entries()) samples.set(label, all.slice(i * SIZE, (i + 1) * SIZE))
  }
  return samples
}

test('a sample is changed in the same way whatever the batches are', async (t) => {
  const orders = [{ shuffle: true }, { shuffle: false }]
  for (const { shuffle } of orders) {
    const passes = await Promise.all(
      [3, 7, 20].map((size) => onePass(batches(train, { size, shuffle, seed: 4, augment: every }))),
    )
    t.is(passes[0]!.size, COUNT)
    for (const pass of passes) for (const [label, pixels] of pass) t.deepEqual(pixels, passes[0]!.get(label))
  }
})

test('pass after pass differs, and the same seed gives the same passes', async (t) => {
  const passes = async (seed: number) => {
    const list = batches(train, { size: 8, seed, augment: every })
    return [await onePass(list), await onePass(list)]
  }
  const [first, second] = await passes(1)
  t.notDeepEqual(first, second)
  t.deepEqual(await passes(1), [first!, second!])
  t.notDeepEqual(await passes(2), [first!, second!])
})

test.serial('without a seed the changes follow setSeed', async (t) => {
  setSeed(9)
  const first = await onePass(batches(train, { augment: every }))
  setSeed(9)
  t.deepEqual(await onePass(batches(train, { augment: every })), first)
})

test('images are changed as they are kept and become floats afterwards', async (t) => {
  const images = tensor(new Uint8Array([51, 102]), { shape: [1, 1, 2, 1] })
  const source = { images, labels: tensor([0], { dtype: 'int32' }) }
  const blank = augment.cutout({ size: 5, fill: 255 })
  for await (const { xs } of batches(source, { augment: blank })) {
    t.is(xs.dtype, 'float32')
    t.deepEqual(await values(xs), [1, 1])
  }
  const flip = augment.horizontalFlip({ probability: 1 })
  for await (const { xs } of batches(source, { augment: flip, normalize: { mean: 0.2, std: 0.1 } })) {
    const [a, b] = (await values(xs)) as [number, number]
    t.true(Math.abs(a - 2) < 1e-6 && Math.abs(b) < 1e-6)
  }
  const floats = { xs: tensor([3, 5], { shape: [1, 1, 2, 1], dtype: 'float64' }), ys: tensor([0]) }
  for await (const { xs } of batches(floats, { augment: flip })) {
    t.is(xs.dtype, 'float64')
    t.deepEqual(await values(xs), [5, 3])
  }
})

test.serial('batches are freed, and tensors of your own are not', async (t) => {
  const mine = ones([COUNT])
  const own: augment.Augmentation = { apply: (batch) => ({ ...batch, ys: mine }) }
  const before = memory().tensors
  // Images and labels, and of one's own labels no copy.
  for (const [step, buffers] of [
    [every, 2],
    [own, 1],
    [augment.compose([]), 2],
  ] as const) {
    let made = 0
    for await (const { xs } of batches(train, { size: COUNT, augment: step })) {
      made = memory().tensors - before
      t.is(xs.dtype, 'float32')
    }
    t.is(made, buffers)
    t.is(memory().tensors, before)
  }
  t.is((await values(mine)).length, COUNT)
})

test.serial('fit learns from mixtures, and from layers that change images', async (t) => {
  setSeed(1)
  const model = sequential({
    inputShape: [6, 5, 3],
    layers: [
      layers.randomColorJitter({ brightness: 0.1 }),
      layers.randomFlip({ mode: 'horizontal' }),
      layers.flatten(),
      layers.dense({ units: COUNT }),
    ],
  })
  model.compile({
    optimizer: optimizers.adam({ learningRate: 0.01 }),
    loss: 'softmaxCrossEntropy',
    metrics: ['accuracy'],
  })
  const mixed = augment.mixup({ alpha: 0.4, classes: COUNT })
  const list = batches(train, { size: 10, shuffle: true, seed: 1, augment: mixed })
  const { history } = await model.fit(list, { epochs: 80, verbose: 0 })
  const { loss } = history as { loss: number[] }
  t.true(loss.at(-1)! < 0.7 * loss[0]!, `${loss[0]} to ${loss.at(-1)}`)
  const { accuracy } = await model.evaluate(train.images, train.labels)
  t.true(accuracy! > 0.5, String(accuracy))
})

test('what augment makes is checked', async (t) => {
  const first = (augmentation: unknown, options: object = {}) =>
    batches(train, { augment: augmentation as augment.Augmentation, ...options })
      [Symbol.asyncIterator]()
      .next()
  const making = (batch: unknown) => ({ apply: () => batch })
  const { labels } = train
  t.throws(() => batches(train, { augment: 'flip' as never }), {
    message: 'batches: augment must be an augmentation, such as augment.horizontalFlip(). got "flip"',
  })
  const cases: [unknown, string][] = [
    [making(3), 'batches: what augment makes: the batch must be { xs, ys } or { xs }. got 3'],
    [making({ xs: labels }), 'batches: what augment makes: the batch must be { xs, ys }. got only xs'],
    [making(Promise.resolve({})), 'batches: what augment makes: the batch must be { xs, ys } or { xs }. got a Promise'],
    [
      making({ xs: ones([3, 2]), ys: labels }),
      'batches: what augment makes: the batch needs as many samples as labels. xs [3, 2], ys [20]',
    ],
    [
      augment.randomCrop({ size: 9 }),
      'augment.randomCrop: a window of [9, 9] does not fit in [6, 5], the image with its padding. images [20, 6, 5, 3] (N, H, W, C). use a smaller size or more padding',
    ],
  ]
  for (const [augmentation, message] of cases) await t.throwsAsync(first(augmentation), { message })
  const wide = making({ xs: ones([1, 2, 2, 2]), ys: ones([1]) })
  await t.throwsAsync(first(wide, { normalize: { mean: [0, 0, 0], std: 1 } }), {
    message:
      'batches: normalize has numbers for 3 channels, but what augment makes has 2. what augment makes [1, 2, 2, 2]',
  })
})
