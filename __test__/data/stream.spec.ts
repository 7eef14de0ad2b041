// Batches out of streams, and what goes for every source: augmentation, prefetching, going on in the middle.
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises'
import test from 'ava'
import {
  augment,
  type Batches,
  batches,
  layers,
  memory,
  optimizers,
  type SampleStream,
  sequential,
  tensor,
} from 'ferrograd'

async function* counting(count: number) {
  for (let i = 0; i < count; i++) yield { x: [i, 2 * i], y: i }
}

async function all(
  list: AsyncIterable<{ xs: { array(): Promise<unknown> }; ys: { data(): Promise<ArrayLike<number>> } }>,
) {
  const found: number[][] = []
  for await (const { ys } of list) found.push(Array.from(await ys.data()))
  return found
}

test('samples become batches, the last with what is left', async (t) => {
  const list = batches(() => counting(7), { size: 3 })
  t.is(list.length, undefined)
  for (let pass = 0; pass < 2; pass++) t.deepEqual(await all(list), [[0, 1, 2], [3, 4, 5], [6]])
  t.deepEqual(await all(batches(() => counting(7), { size: 3, dropRemainder: true })), [
    [0, 1, 2],
    [3, 4, 5],
  ])
  for await (const { xs, ys } of batches(() => counting(2))) {
    t.deepEqual(
      [xs.dtype, ys.dtype, await xs.array()],
      [
        'float32',
        'int32',
        [
          [0, 0],
          [1, 2],
        ],
      ],
    )
  }
})

test('streams are iterables of any kind, of samples and batches mixed', async (t) => {
  const items = [
    { x: [1, 2], y: 0 },
    {
      xs: [
        [3, 4],
        [5, 6],
      ],
      ys: [1, 2],
    },
    { image: [7, 8], label: 3 },
    { images: [[9, 10]], labels: [4] },
  ]
  function* generator() {
    yield* items
  }
  const sources: SampleStream[] = [
    items,
    new Set(items),
    generator,
    generator(),
    async function* () {
      yield* items
    },
  ]
  for (const source of sources) {
    for await (const { xs, ys } of batches(source, { size: 5 })) {
      t.deepEqual(await xs.array(), [
        [1, 2],
        [3, 4],
        [5, 6],
        [7, 8],
        [9, 10],
      ])
      t.deepEqual(await ys.array(), [0, 1, 2, 3, 4])
    }
  }
})

test('typed arrays and tensors keep their dtype, and bytes are pixels', async (t) => {
  const typed = [
    { xs: Uint8Array.of(0, 255, 51, 0), ys: Int32Array.of(1, 2) },
    { x: Uint8Array.of(102, 0), y: tensor(3, { dtype: 'int32' }) },
  ]
  for await (const { xs, ys } of batches(typed)) {
    t.deepEqual(await xs.data(), Float32Array.of(0, 1, 0.2, 0, 0.4, 0))
    t.deepEqual([xs.shape, ys.dtype, await ys.array()], [[3, 2], 'int32', [1, 2, 3]])
  }
  const images = [
    { image: tensor(Uint8Array.of(0, 255), { shape: [1, 1, 2] }), label: 1 },
    { image: tensor(Uint8Array.of(51, 0), { shape: [1, 1, 2] }), label: 0 },
  ]
  for await (const { xs } of batches(images, { normalize: { mean: [0, 1], std: 1 } })) {
    t.deepEqual(xs.shape, [2, 1, 1, 2])
    t.deepEqual(await xs.data(), Float32Array.of(0, 0, 0.2, -1))
  }
})

test('a shuffle draws from a buffer: each sample once, another order in each pass, the same for a seed', async (t) => {
  const passes = async (seed: number, shuffleBuffer: number) => {
    const list = batches(() => counting(60), { size: 7, shuffle: true, seed, shuffleBuffer })
    return [(await all(list)).flat(), (await all(list)).flat()]
  }
  const inOrder = Array.from({ length: 60 }, (_, i) => i)
  const [first, second] = await passes(1, 20)
  for (const order of [first!, second!])
    t.deepEqual(
      [...order].sort((a, b) => a - b),
      inOrder,
    )
  t.notDeepEqual(first, inOrder)
  t.notDeepEqual(first, second)
  t.deepEqual(await passes(1, 20), [first, second])
  t.notDeepEqual((await passes(2, 20))[0], first)
  // A sample cannot come before the buffer has seen it.
  for (const [place, sample] of first!.entries()) t.true(sample < place + 20)
  t.deepEqual((await passes(1, 1))[0], inOrder)
  const everywhere = (await passes(3, 1000))[0]!
  t.true(everywhere.slice(0, 10).some((sample) => sample >= 30))
})

test('no more samples are asked for than are needed', async (t) => {
  let asked = 0
  async function* endless() {
    for (;;) yield { x: [asked], y: asked++ }
  }
  for (const [prefetch, most] of [
    [0, 4],
    [2, 12],
    [5, 24],
  ] as const) {
    asked = 0
    for await (const _ of batches(endless, { size: 4, prefetch })) {
      await wait(20)
      t.true(asked <= most + 1, `${asked} with prefetch ${prefetch}`)
      break
    }
  }
})

test.serial('memory does not grow with the stream, and nothing is left over', async (t) => {
  const before = memory().tensors
  let batchesSeen = 0
  async function* large() {
    for (let i = 0; i < 400; i++) yield { x: new Uint8Array(1000), y: 1 }
  }
  for await (const _ of batches(large, { size: 10 })) {
    t.true(memory().tensors - before <= 2 + 2 * 3)
    if (++batchesSeen === 20) break
  }
  await turn()
  await wait(10)
  t.is(memory().tensors, before)
  await t.throwsAsync(async () => {
    for await (const _ of batches(large, { size: 10 })) throw new Error('mine')
  })
  await wait(10)
  t.is(memory().tensors, before)
})

test('a stream that is left is closed, and one that fails says so', async (t) => {
  let closed = false
  async function* careful() {
    try {
      for (let i = 0; ; i++) yield { x: [i], y: i }
    } finally {
      closed = true
    }
  }
  for await (const _ of batches(careful, { size: 2 })) break
  await wait(10)
  t.true(closed)
  async function* failing() {
    yield { x: [1], y: 1 }
    throw new Error('the database is gone')
  }
  t.deepEqual(await all(batches(() => counting(1))), [[0]])
  await t.throwsAsync(all(batches(failing, { size: 1 })), { message: 'the database is gone' })
})

test('fit trains on a stream, epoch after epoch', async (t) => {
  const make = () => {
    const model = sequential({ inputShape: [2], layers: [layers.dense({ units: 3, kernelInitializer: 'ones' })] })
    model.compile({ optimizer: 'sgd', loss: 'softmaxCrossEntropy' })
    return model
  }
  const samples = Array.from({ length: 10 }, (_, i) => ({ x: [i / 10, 1 - i / 10], y: i % 3 }))
  const [streamed, held] = [make(), make()]
  const history = await streamed.fit(batches(samples, { size: 4 }), { epochs: 3, verbose: 0 })
  const x = samples.map(({ x }) => x)
  const y = samples.map(({ y }) => y)
  const expected = await held.fit(x, y, { batchSize: 4, epochs: 3, shuffle: false, verbose: 0 })
  t.deepEqual(history.history, expected.history)
})

test('whole numbers may be values to predict', async (t) => {
  const model = sequential({ inputShape: [1], layers: [layers.dense({ units: 1, kernelInitializer: 'ones' })] })
  model.compile({ optimizer: optimizers.sgd({ learningRate: 1e-9 }), loss: 'meanSquaredError' })
  for (const source of [[{ x: [1], y: 3 }], () => [{ x: [1], y: [3] }]] as SampleStream[]) {
    const { history } = await model.fit(batches(source), { verbose: 0 })
    t.true(Math.abs(history.loss[0]! - 4) < 1e-6)
  }
  const { history } = await model.fit(batches({ xs: [[1]], ys: [3] }), { verbose: 0 })
  t.true(Math.abs(history.loss[0]! - 4) < 1e-6)
})

test('a pass of a stream can be begun in its middle', async (t) => {
  type Opens = { open(pass: number, first: number): ReturnType<Batches[typeof Symbol.asyncIterator]> }
  const make = () =>
    batches(() => counting(20), { size: 3, shuffle: true, seed: 4, shuffleBuffer: 6 }) as Batches<undefined> & Opens
  const whole = make()
  const [, second] = [await all(whole), await all(whole)]
  t.deepEqual(await all(make().open(1, 4)), second!.slice(4))
  t.deepEqual(await all(make().open(1, 7)), [])
})

const recorded: { samples: number[]; pass: number; seed: number; dtype: string }[] = []
const recorder: augment.Augmentation = {
  apply(batch, options) {
    const { samples, pass, seed } = options!
    recorded.push({ samples: Array.from(samples!), pass: pass!, seed: seed!, dtype: batch.xs.dtype })
    return batch
  },
}

test.serial('augment sees the bytes, which samples they are, and the pass', async (t) => {
  const source = { images: tensor(new Uint8Array(6), { shape: [6, 1, 1, 1] }), labels: [0, 1, 2, 3, 4, 5] }
  const stream = Array.from({ length: 6 }, (_, i) => ({ x: Uint8Array.of(0), y: i }))
  for (const data of [source, stream] as const) {
    recorded.length = 0
    const options = { size: 4, augment: recorder, seed: 7, shuffle: true }
    const list: AsyncIterable<{
      xs: { dtype: string; array(): Promise<unknown> }
      ys: { data(): Promise<ArrayLike<number>> }
    }> = Array.isArray(data) ? batches(data as SampleStream, options) : batches(source, options)
    const seen = [await all(list), await all(list)]
    t.deepEqual(
      recorded.map(({ samples }) => samples),
      seen.flat(),
    )
    t.deepEqual(
      recorded.map(({ pass }) => pass),
      [0, 0, 1, 1],
    )
    t.true(recorded.every(({ seed, dtype }) => seed === recorded[0]!.seed && dtype === 'uint8'))
    for await (const { xs } of list) t.is(xs.dtype, 'float32')
  }
})

test.serial('augment, then normalize; nothing is left over', async (t) => {
  const images = tensor(
    Uint8Array.from({ length: 24 }, (_, i) => i * 10),
    { shape: [4, 2, 3, 1] },
  )
  const labels = tensor([0, 1, 2, 3], { dtype: 'int32' })
  const flip: augment.Augmentation = augment.horizontalFlip({ probability: 1 })
  const before = memory().tensors
  for await (const { xs, ys } of batches({ images, labels }, { augment: flip, normalize: { mean: 0.5, std: 0.5 } })) {
    t.is(memory().tensors, before + 2)
    const f = Math.fround
    const expected = [20, 10, 0].map((byte) => f(f(f(byte / 255) - 0.5) / 0.5))
    t.deepEqual(Array.from((await xs.data()).slice(0, 3)), expected)
    t.deepEqual(Array.from(await ys.data()), [0, 1, 2, 3])
  }
  t.is(memory().tensors, before)
})

test('a sample is changed in one way per pass, whatever batch it is in', async (t) => {
  const source = {
    images: tensor(
      new Uint8Array(20 * 16).map((_, i) => i),
      { shape: [20, 4, 4, 1] },
    ),
    labels: Array.from({ length: 20 }, (_, i) => i),
  }
  const changed = async (size: number) => {
    const found = new Map<number, string>()
    for await (const { xs, ys } of batches(source, { size, seed: 3, augment: augment.horizontalFlip() })) {
      const [pixels, labels] = [await xs.data(), await ys.data()]
      for (const [i, label] of labels.entries()) found.set(label, pixels.slice(i * 16, (i + 1) * 16).join())
    }
    return found
  }
  t.deepEqual(await changed(3), await changed(20))
})

test('what does not fit is refused with its place', async (t) => {
  const cases: [unknown[], string][] = [
    [
      [
        { x: [1], y: 0 },
        { a: 1, b: 2 },
      ],
      'batches: a stream gives samples, { x, y } or { image, label }, or batches of them, { xs, ys } or { images, labels }. got { a, b } (after 1 samples)',
    ],
    [
      [5],
      'batches: a stream gives samples, { x, y } or { image, label }, or batches of them, { xs, ys } or { images, labels }. got 5 (after 0 samples)',
    ],
    [
      [{ x: 'a', y: 0 }],
      'batches: sample 0 must be numbers: a Tensor, a typed array, nested arrays or a number. got "a"',
    ],
    [
      [
        { x: [1, 2], y: 0 },
        { x: [1], y: 0 },
      ],
      'batches: the input of sample 1 has shape [1], but that of sample 0 has [2]. all samples of a stream have one shape',
    ],
    [
      [
        { x: [1], y: 0 },
        { x: [1], y: [0] },
      ],
      'batches: the label of sample 1 has shape [1], but that of sample 0 has []. all samples of a stream have one shape',
    ],
    [
      [
        { x: [1], y: 0 },
        { x: Uint8Array.of(1), y: 0 },
      ],
      'batches: the input of sample 1 has dtype uint8, but that of sample 0 has number. all samples of a stream have one dtype',
    ],
    [
      [{ xs: [[1], [2]], ys: [0] }],
      'batches: a batch of the stream has 2 samples and 1 labels. inputs [2, 1], labels [1] (after 0 samples)',
    ],
    [
      [
        { x: [1], y: 0 },
        { x: [1], y: 0.5 },
      ],
      "batches: label 0.5 of sample 1 is no whole number, but int32 was chosen for labels, which begin as whole numbers. pass labelDType: 'float32' if they are values",
    ],
  ]
  for (const [items, message] of cases) {
    const error = await t.throwsAsync(all(batches(items as never, { size: 1 })))
    t.is(error?.message, message)
  }
  t.deepEqual(
    await all(
      batches(
        [
          { x: [1], y: 0 },
          { x: [1], y: 0.5 },
        ],
        { size: 1, labelDType: 'float32' },
      ),
    ),
    [[0], [0.5]],
  )
  const options: [object, string][] = [
    [{ prefetch: -1 }, 'batches: prefetch must be a whole number from 0. got -1'],
    [{ shuffle: true, shuffleBuffer: 0 }, 'batches: shuffleBuffer must be a whole number from 1. got 0'],
    [{ shuffleBuffer: 5 }, 'batches: shuffleBuffer has no effect without shuffle: true'],
    [{ labelDType: 'uint8' }, "batches: labelDType must be 'int32' or 'float32'. got \"uint8\""],
    [{ augment: 5 }, 'batches: augment must be an augmentation, such as augment.horizontalFlip(). got 5'],
  ]
  for (const [option, message] of options)
    t.is(t.throws(() => batches(() => counting(1), option as never))?.message, message)
})

test('data of more classes than the model tells are refused', async (t) => {
  const model = sequential({ inputShape: [1], layers: [layers.dense({ units: 2 })] })
  model.compile({ optimizer: 'sgd', loss: 'softmaxCrossEntropy' })
  const source = { images: tensor([[1]]), labels: tensor([0], { dtype: 'int32' }), classNames: ['a', 'b', 'c'] }
  await t.throwsAsync(model.fit(batches(source), { verbose: 0 }), {
    instanceOf: RangeError,
    message: `fit: the data have 3 classes, but model "${model.name}" tells 2. give its last layer 3 outputs`,
  })
})
