// Every op against PyTorch's float64 numbers.

import test from 'ava'
import { checkCase, type GoldenFile, readFixture } from './helpers/golden.js'

const families = [
  'arithmetic',
  'unary',
  'activations',
  'matmul',
  'shapes',
  'reductions',
  'conv2d',
  'conv-transpose2d',
  'pooling',
  'normalisation',
  'losses',
]

let total = 0
for (const family of families) {
  const { cases } = readFixture<GoldenFile>(family)
  total += cases.length
  cases.forEach((golden, i) => {
    test(`${family} ${i}: ${golden.name}`, async (t) => {
      await checkCase(t, golden, 'float32')
      await checkCase(t, golden, 'float64')
    })
  })
}

test('the fixtures hold what they should', (t) => {
  t.true(total >= 250)
  t.true(readFixture<GoldenFile>('conv2d').cases.length >= 60)
  t.true(readFixture<GoldenFile>('pooling').cases.length >= 30)
})
