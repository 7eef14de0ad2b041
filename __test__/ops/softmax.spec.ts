import test from 'ava'
import { softmax, tensor } from 'ferrograd'
import { testSoftmax } from '../helpers/softmax.js'
import { values } from '../helpers/values.js'

testSoftmax({
  name: 'softmax',
  op: softmax,
  reference: (row) => {
    const most = Math.max(...row)
    const exponentials = row.map((x) => Math.exp(x - most))
    const sum = exponentials.reduce((a, b) => a + b, 0)
    return exponentials.map((e) => e / sum)
  },
})

test('softmax of a single number is one', async (t) => {
  t.deepEqual(await softmax(tensor([[5], [-1e30]])).array(), [[1], [1]])
})

test('softmax does not overflow', async (t) => {
  const rows = [
    [1e30, -1e30, 0],
    [88.8, 88.8, -1e30],
    [-1e30, -1e30, -1e30],
    [1e30, 1e30, 0],
    [Number.NEGATIVE_INFINITY, 0, 0],
  ]
  const third = Math.fround(1 / 3)
  t.deepEqual(await softmax(tensor(rows)).array(), [
    [1, 0, 0],
    [0.5, 0.5, 0],
    [third, third, third],
    [0.5, 0.5, 0],
    [0, 0.5, 0.5],
  ])
})

test('a row with NaN, with infinity or of minus infinities alone is NaN, and only that row', async (t) => {
  const { NaN: nan, POSITIVE_INFINITY: inf } = Number
  const bad = [
    [nan, 1, 2],
    [inf, 1, 2],
    [-inf, -inf, -inf],
  ]
  for (const row of bad) {
    const y = await values(softmax(tensor([[1, 1, 1], row, [2, 2, 2]])))
    t.deepEqual(
      y.map((v) => Number.isNaN(v)),
      [0, 1, 2].flatMap((i) => [i === 1, i === 1, i === 1]),
    )
  }
})
