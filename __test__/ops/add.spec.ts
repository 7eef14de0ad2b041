import test from 'ava'
import { add, backward, mul, setThreads, sum, tensor, threads, variable } from 'ferrograd'
import { testBinary } from '../helpers/binary.js'
import { assertNear, numbers, values } from '../helpers/values.js'

testBinary({ name: 'add', op: add, reference: (a, b) => a + b })

test('add gives what one writes by hand', async (t) => {
  const sum = add(
    tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]),
    tensor([10, 20, 30]),
  )
  t.deepEqual(await sum.array(), [
    [11, 22, 33],
    [14, 25, 36],
  ])
})

test('the gradient of a bias is the sum over everything else, the same on any number of threads', async (t) => {
  const [before, results] = [threads(), [] as number[][]]
  for (const n of [1, 2, 3]) {
    setThreads(n)
    const bias = variable(numbers([5], 1, 'float32'))
    const x = numbers([64, 40, 40, 5], 2, 'float32')
    results.push(await values(backward(sum(mul(add(x, bias), x))).get(bias)))
  }
  setThreads(before)
  const x = await values(numbers([64, 40, 40, 5], 2, 'float32'))
  const exact = [0, 0, 0, 0, 0]
  x.forEach((value, i) => {
    exact[i % 5]! += value
  })
  assertNear(t, results[0]!, exact, 1e-6)
  t.deepEqual(results[1], results[0])
  t.deepEqual(results[2], results[0])
})
