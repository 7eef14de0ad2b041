import test from 'ava'
import { avgPool2d, tensor } from 'ferrograd'
import { testPooling } from '../helpers/pooling.js'
import { values } from '../helpers/values.js'

testPooling({
  name: 'avgPool2d',
  op: avgPool2d,
  forward: (cells) => cells.reduce((sum, cell) => sum + cell, 0) / cells.length,
  shares: (cells) => cells.map(() => 1 / cells.length),
  tolerance: 1e-7,
})

test('whole numbers have exact means where windows are powers of two', async (t) => {
  const cells = Array.from({ length: 64 * 64 * 3 }, (_, i) => (i * 7919) % 1013)
  const y = await values(avgPool2d(tensor(cells, { shape: [1, 64, 64, 3] }), { size: 4 }))
  const exact = y.map((_, to) => {
    const [c, column, row] = [to % 3, Math.floor(to / 3) % 16, Math.floor(to / 48)]
    let sum = 0
    for (let i = 0; i < 16; i++) sum += cells[((row * 4 + (i >> 2)) * 64 + column * 4 + (i & 3)) * 3 + c]!
    return sum / 16
  })
  t.deepEqual(y, exact)
})

test('padding does not count: the corner of a padded image of ones is one', async (t) => {
  const ones = tensor(new Float32Array(9).fill(1), { shape: [1, 3, 3, 1] })
  for (const padding of ['same', 1] as const) {
    t.deepEqual(await values(avgPool2d(ones, { size: 3, stride: 1, padding })), new Array(9).fill(1))
  }
})

test('a NaN stays in the windows that hold it', async (t) => {
  const cells = Array.from({ length: 16 }, (_, i) => (i === 5 ? Number.NaN : i))
  const y = await values(avgPool2d(tensor(cells, { shape: [1, 4, 4, 1] }), { size: 2 }))
  t.deepEqual(y, [Number.NaN, 4.5, 10.5, 12.5])
})
