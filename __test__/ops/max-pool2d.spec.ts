import test from 'ava'
import {
  add,
  conv2d,
  gradients,
  maxPool2d,
  memory,
  mul,
  noGrad,
  relu,
  scope,
  sum,
  type Tensor,
  tensor,
  transpose,
} from 'ferrograd'
import { assertCourse, courseImages, testCourse } from '../helpers/course.js'
import { testPooling } from '../helpers/pooling.js'
import { numbers, values } from '../helpers/values.js'

/** The first of the largest. */
const winner = (cells: number[]) => cells.indexOf(Math.max(...cells))

testPooling({
  name: 'maxPool2d',
  op: maxPool2d,
  forward: (cells) => cells[winner(cells)]!,
  shares: (cells) => cells.map((_, i) => (i === winner(cells) ? 1 : 0)),
  tolerance: 0,
})

const { NaN: nan, POSITIVE_INFINITY: inf } = Number

for (const dtype of ['float32', 'float64'] as const) {
  test(`the first of ties wins, a NaN beats all, and -Infinity has a winner, in ${dtype}`, async (t) => {
    const cases: [number[], number][] = [
      [[1, 2, 2, 1], 1],
      [[0, 0, 0, 0], 0],
      [[nan, nan, nan, nan], 0],
      [[1, nan, 2, nan], 1],
      [[inf, 1, nan, 2], 2],
      [[-inf, -inf, -inf, -inf], 0],
      [[-inf, -inf, -(2 ** 90), -inf], 2],
      [[-inf, inf, inf, 0], 1],
    ]
    for (const [cells, wins] of cases) {
      for (const channels of [1, 5, 40]) {
        const pixels = cells.flatMap((cell) => Array.from({ length: channels }, () => cell))
        const x = tensor(pixels, { shape: [1, 2, 2, channels], dtype })
        t.true((await values(maxPool2d(x, { size: 2 }))).every((y) => Object.is(y, cells[wins])))
        const [dx] = gradients(() => sum(maxPool2d(x, { size: 2 })), [x])
        const expected = cells.flatMap((_, i) => Array.from({ length: channels }, () => (i === wins ? 1 : 0)))
        t.deepEqual(await values(dx), expected, `${cells}`)
      }
    }
  })
}

test('a window of more cells than a byte can number has its winner too', async (t) => {
  const cells = Array.from({ length: 20 * 20 }, (_, i) => (i === 391 ? 5 : Math.sin(i)))
  const x = tensor(cells, { shape: [1, 20, 20, 1] })
  t.is(await maxPool2d(x, { size: 20 }).item(), 5)
  const [dx] = gradients(() => sum(maxPool2d(x, { size: 20 })), [x])
  t.deepEqual(
    (await values(dx)).map((v, i) => (v === 0 ? -1 : i)).filter((i) => i >= 0),
    [391],
  )
})

test('values and gradients are the same bits on every run', async (t) => {
  const x = numbers([4, 33, 31, 24], 1, 'float32')
  const options = { size: 3, stride: 2, padding: 'same' } as const
  const dy = maxPool2d(numbers([4, 33, 31, 24], 2, 'float32'), options)
  const run = async () => values(gradients(() => sum(mul(maxPool2d(x, options), dy)), [x])[0])
  t.deepEqual(await run(), await run())
})

test('winners are kept only where a gradient can be asked for, and go with the graph', (t) => {
  const x = numbers([2, 8, 8, 4], 1, 'float32')
  const before = memory().tensors
  const y = noGrad(() => maxPool2d(x, { size: 2 }))
  t.is(memory().tensors, before + 1)
  y.dispose()
  const [dx] = scope(() => gradients(() => sum(maxPool2d(x, { size: 2 })), [x]))
  t.is(memory().tensors, before + 1)
  dx.dispose()
})

testCourse('max_pool_forward_linspace', async (t, vector, precision) => {
  const y = transpose(maxPool2d(courseImages(vector, 'x', precision), { size: 2 }), [0, 3, 1, 2])
  assertCourse(t, vector, 'out', await values(y), precision)
})

for (const dtype of ['float32', 'float64'] as const) {
  test(`over a rectifier gradients are those of the two ops apart, in ${dtype}`, async (t) => {
    const x = numbers([2, 6, 6, 20], 3, dtype)
    const weight = numbers([3, 3, 20, 24], 4, dtype)
    const dy = numbers([2, 3, 3, 24], 5, dtype)
    const one = tensor([1], { dtype })
    const rectifiedConv = (x: Tensor) => conv2d(x, weight, { padding: 'same', activation: 'relu' })
    const pool = (x: Tensor) => maxPool2d(x, { size: 2 })
    // A product with 1 between rectifier and pool changes no number, but the pool no longer sees a rectifier.
    const cases: Record<string, (apart: (y: Tensor) => Tensor) => Tensor> = {
      'conv2d with relu': (apart) => pool(apart(rectifiedConv(x))),
      relu: (apart) => pool(apart(relu(conv2d(x, weight, { padding: 'same' })))),
      'relu of a sum with a rectified term': (apart) =>
        pool(apart(relu(add(rectifiedConv(x), conv2d(x, weight, { padding: 'same' }))))),
      'an output that is also used without the pool': (apart) => {
        const y = rectifiedConv(x)
        return add(pool(apart(y)), maxPool2d(mul(y, y), { size: 2 }))
      },
    }
    for (const [name, compute] of Object.entries(cases)) {
      const found = gradients(() => compute((y) => y), [x, weight], { upstream: dy })
      const expected = gradients(() => compute((y) => mul(y, one)), [x, weight], { upstream: dy })
      t.deepEqual(await values(found[0]), await values(expected[0]), name)
      t.deepEqual(await values(found[1]), await values(expected[1]), name)
      t.true(
        (await values(found[0])).some((v) => v !== 0),
        name,
      )
    }
  })
}
