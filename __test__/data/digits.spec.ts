import test from 'ava'
import { datasets } from 'ferrograd'

const { train, test: held } = datasets.digits()

test('1,437 digits to train on and 360 to test', (t) => {
  t.deepEqual(train.images.shape, [1437, 8, 8, 1])
  t.deepEqual(held.images.shape, [360, 8, 8, 1])
  t.deepEqual(train.labels.shape, [1437])
  t.deepEqual(held.labels.shape, [360])
  t.is(train.images.dtype, 'float32')
  t.is(train.labels.dtype, 'int32')
  t.deepEqual(train.classNames, ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
  t.deepEqual(held.classNames, train.classNames)
})

test('all digits are there, from 0 to 1', async (t) => {
  const pixels = [...(await train.images.data()), ...(await held.images.data())]
  t.is(
    pixels.reduce((sum, pixel) => sum + pixel, 0),
    561718 / 16,
  )
  t.is(Math.max(...pixels), 1)
  t.is(Math.min(...pixels), 0)
})

test('every class is split four to one', async (t) => {
  const count = (labels: ArrayLike<number>) => {
    const counts = new Array<number>(10).fill(0)
    for (const label of Array.from(labels)) counts[label]!++
    return counts
  }
  const [trained, tested] = [count(await train.labels.data()), count(await held.labels.data())]
  t.deepEqual(
    trained.map((n, label) => n + tested[label]!),
    [178, 182, 177, 183, 181, 182, 181, 179, 174, 180],
  )
  for (const [label, n] of tested.entries()) t.true(Math.abs(n - (n + trained[label]!) / 5) <= 1)
})

test('the first digit of the file is the first to test with', async (t) => {
  const image = (await held.images.data()).slice(0, 64)
  t.is((await held.labels.data())[0], 0)
  t.deepEqual(
    Array.from(image.slice(0, 16), (pixel) => pixel * 16),
    [0, 0, 5, 13, 9, 1, 0, 0, 0, 0, 13, 15, 10, 15, 5, 0],
  )
})

test('the split is always the same', async (t) => {
  const again = datasets.digits()
  t.deepEqual(await again.train.labels.data(), await train.labels.data())
  t.deepEqual(await again.test.images.data(), await held.images.data())
})
