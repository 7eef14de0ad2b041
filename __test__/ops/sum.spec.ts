import test from 'ava'
import { full, setThreads, sum, tensor, threads } from 'ferrograd'
import { testReduction } from '../helpers/reduction.js'
import { numbers, values } from '../helpers/values.js'

testReduction({ name: 'sum', op: sum, reference: (xs) => xs.reduce((total, x) => total + x, 0), ofNothing: 0 })

test('sum gives what one writes by hand', async (t) => {
  const x = tensor([
    [1, 2, 3],
    [4, 5, 6],
  ])
  t.is(await sum(x).item(), 21)
  t.deepEqual(await sum(x, { axis: 0 }).array(), [5, 7, 9])
  t.deepEqual(await sum(x, { axis: 1, keepDims: true }).array(), [[6], [15]])
})

test('long sums are as good as float32 can be', async (t) => {
  const x = full([5_000_000], 0.1)
  t.is(await sum(x).item(), Math.fround(Math.fround(0.1) * 5_000_000))
  t.is(await sum(tensor(Array(100).fill(1e38))).item(), Infinity)
  t.is(await sum(tensor([1e38, 1e38, 1e38, 1e38, -1e38, -1e38, -1e38])).item(), Math.fround(1e38))
})

test('sums do not depend on the number of threads', async (t) => {
  const before = threads()
  for (const [shape, axis] of [
    [[1_000_003], 0],
    [[3001, 300], 0],
    [[3001, 300], 1],
    [
      [40, 50, 60],
      [0, 2],
    ],
  ] as const) {
    const results: number[][] = []
    for (const n of [1, 2, 4]) {
      setThreads(n)
      results.push(await values(sum(numbers(shape, 1, 'float32'), { axis })))
    }
    t.deepEqual(results[1], results[0])
    t.deepEqual(results[2], results[0])
  }
  setThreads(before)
})
