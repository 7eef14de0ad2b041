import test from 'ava'
import { type Batches, batches, memory, ShapeError, setSeed, tensor } from 'ferrograd'

const source = (count: number) => ({
  xs: tensor(
    Float32Array.from({ length: count * 2 }, (_, i) => i),
    { shape: [count, 2] },
  ),
  ys: tensor(Int32Array.from({ length: count }, (_, i) => i)),
})

async function labelsOf(list: AsyncIterable<{ ys: { data(): Promise<ArrayLike<number>> } }>): Promise<number[][]> {
  const all: number[][] = []
  for await (const { ys } of list) all.push(Array.from(await ys.data()))
  return all
}

test('batches come in order, the last with what is left', async (t) => {
  const list = batches(source(7), { size: 3 })
  t.is(list.length, 3)
  t.deepEqual(await labelsOf(list), [[0, 1, 2], [3, 4, 5], [6]])
  for await (const { xs, ys } of list) {
    const labels = await ys.data()
    t.deepEqual(
      await xs.array(),
      Array.from(labels, (label) => [2 * label, 2 * label + 1]),
    )
  }
})

test('dropRemainder leaves the smaller batch out', async (t) => {
  const list = batches(source(7), { size: 3, dropRemainder: true })
  t.is(list.length, 2)
  t.deepEqual(await labelsOf(list), [
    [0, 1, 2],
    [3, 4, 5],
  ])
  t.deepEqual(await labelsOf(batches(source(2), { size: 3, dropRemainder: true })), [])
})

test('the default size is 32', async (t) => {
  t.deepEqual(
    (await labelsOf(batches(source(40)))).map((batch) => batch.length),
    [32, 8],
  )
})

test('a part of a dataset is a source', async (t) => {
  const { xs, ys } = source(3)
  t.deepEqual(await labelsOf(batches({ images: xs, labels: ys }, { size: 2 })), [[0, 1], [2]])
})

test('a shuffle visits each sample once, in another order in each pass, the same for a seed', async (t) => {
  const passes = async (seed: number) => {
    const list = batches(source(50), { size: 8, shuffle: true, seed })
    return [(await labelsOf(list)).flat(), (await labelsOf(list)).flat()] as const
  }
  const [first, second] = await passes(5)
  const inOrder = Array.from({ length: 50 }, (_, i) => i)
  t.deepEqual(
    [...first].sort((a, b) => a - b),
    inOrder,
  )
  t.deepEqual(
    [...second].sort((a, b) => a - b),
    inOrder,
  )
  t.notDeepEqual(first, inOrder)
  t.notDeepEqual(first, second)
  t.deepEqual(await passes(5), [first, second])
  t.notDeepEqual((await passes(6))[0], first)
})

test('inputs and labels are shuffled together', async (t) => {
  for await (const { xs, ys } of batches(source(20), { size: 6, shuffle: true, seed: 0 })) {
    const labels = await ys.data()
    t.deepEqual(
      await xs.array(),
      Array.from(labels, (label) => [2 * label, 2 * label + 1]),
    )
  }
})

test('without a seed setSeed decides', async (t) => {
  const draw = async () => (await labelsOf(batches(source(30), { shuffle: true }))).join()
  setSeed(4)
  const first = await draw()
  setSeed(4)
  t.is(await draw(), first)
  t.not(await draw(), first)
})

test('every sample may come anywhere', async (t) => {
  const [count, passes] = [6, 600]
  const seen = Array.from({ length: count }, () => new Array<number>(count).fill(0))
  const list = batches(source(count), { size: count, shuffle: true, seed: 1 })
  for (let pass = 0; pass < passes; pass++) {
    const [order] = await labelsOf(list)
    for (const [place, label] of order!.entries()) seen[place]![label]!++
  }
  // 100 expected in each of 36 cells; the standard deviation is 9.
  for (const n of seen.flat()) t.true(n > 60 && n < 140, `${n}`)
})

test.serial('a batch is freed when the next is asked for, and when the loop is left', async (t) => {
  const list = batches(source(12), { size: 4 })
  const before = memory().tensors
  for await (const _ of list) t.is(memory().tensors, before + 2)
  t.is(memory().tensors, before)
  for await (const _ of list) break
  t.is(memory().tensors, before)
  await t.throwsAsync(
    async () => {
      for await (const _ of list) throw new Error('mine')
    },
    { message: 'mine' },
  )
  t.is(memory().tensors, before)
})

test('wrong sources and options are refused', (t) => {
  const good = source(4)
  const cases: [() => unknown, string][] = [
    [
      () => batches(null as never),
      'batches: the source must be { images, labels }, { xs, ys }, a part of datasets.imageFolder or a stream of samples. got null',
    ],
    [
      () => batches({} as never),
      'batches: the source must be { images, labels }, { xs, ys }, a part of datasets.imageFolder or a stream of samples. got an object',
    ],
    [
      () => batches({ xs: good.xs, ys: 'abcd' } as never),
      'batches: ys must be a Tensor, a typed array or nested arrays. got "abcd"',
    ],
    [
      () => batches({ images: good.xs, labels: source(3).ys }),
      'batches: there are 4 samples and 3 labels. images [4, 2], labels [3]',
    ],
    [() => batches({ xs: tensor(1), ys: good.ys }), 'batches: xs has shape [], so it has no samples'],
    [() => batches(good, { size: 0 }), 'batches: size must be a whole number from 1. got 0'],
    [() => batches(good, { size: 2.5 }), 'batches: size must be a whole number from 1. got 2.5'],
    [() => batches(good, { size: Number.NaN }), 'batches: size must be a whole number from 1. got NaN'],
    [() => batches(good, { shuffle: 1 } as never), 'batches: shuffle must be true or false. got 1'],
    [() => batches(good, { dropRemainder: 'no' } as never), 'batches: dropRemainder must be true or false. got "no"'],
    [
      () => batches(good, { shuffle: true, seed: -1 }),
      'batches: seed must be a whole number from 0 to 2^53 - 1. got -1',
    ],
    [() => batches(good, { seed: 1 }), 'batches: seed has no effect without shuffle: true or augment'],
    [
      () => batches(good, { batchSize: 4 } as never),
      'batches: there is no option batchSize (got 4). valid are size, shuffle, seed, dropRemainder, normalize, augment and labelDType',
    ],
  ]
  for (const [call, message] of cases) t.is(t.throws(call)?.message, message)
  t.throws(() => batches({ images: good.xs, labels: source(3).ys }), { instanceOf: ShapeError, code: 'ERR_SHAPE' })
})

test('no samples are no batches', async (t) => {
  const empty = { xs: tensor([], { shape: [0, 2] }), ys: tensor([], { dtype: 'int32' }) }
  t.is(batches(empty).length, 0)
  t.deepEqual(await labelsOf(batches(empty, { shuffle: true })), [])
})

test('arrays are sources too', async (t) => {
  const nested = {
    xs: [
      [0, 1],
      [2, 3],
      [4, 5],
    ],
    ys: [0, 1, 2],
  }
  const typed = { images: Float32Array.of(0, 1, 2, 3, 4, 5), labels: Int32Array.of(0, 1, 2) }
  for (const source of [nested, typed]) {
    for await (const { xs, ys } of batches(source, { size: 3 })) {
      t.deepEqual(await xs.array(), nested.xs)
      t.deepEqual(await ys.array(), nested.ys)
    }
  }
  t.is(
    t.throws(() => batches({ xs: new Float32Array(7), ys: [1, 2] }))?.message,
    'batches: xs has 7 values, which is no multiple of 2 labels. give it a shape: tensor(values, { shape: [samples, …] })',
  )
})

test('a pass can be begun in its middle, with the batches that it would have had', async (t) => {
  // What fit uses to go on where a training stopped.
  type Opens = { open(pass: number, first: number): ReturnType<Batches[typeof Symbol.asyncIterator]> }
  const make = () => batches(source(11), { size: 3, shuffle: true, seed: 9 }) as Batches & Opens
  const whole = make()
  const passes = [await labelsOf(whole), await labelsOf(whole), await labelsOf(whole)]
  t.deepEqual(await labelsOf(make().open(1, 2)), passes[1]!.slice(2))
  const list = make()
  t.deepEqual(await labelsOf(list.open(1, 4)), [])
  t.deepEqual(await labelsOf(list), passes[2])
})
