import test from 'ava'
import { gradients, losses, tensor } from 'ferrograd'
import { testElementLoss } from '../helpers/loss.js'
import { values } from '../helpers/values.js'

for (const delta of [1, 0.3]) {
  testElementLoss({
    name: 'huber',
    title: `huber with delta ${delta}`,
    op: (x, labels, options) => losses.huber(x, labels, { ...options, delta }),
    reference: (x, t) => {
      const d = Math.abs(x - t)
      return d <= delta ? d ** 2 / 2 : delta * (d - delta / 2)
    },
  })
}

test('delta is 1 unless said otherwise, and bounds the gradient', async (t) => {
  const x = tensor([0, 0.5, 10, -10])
  const labels = tensor([0, 0, 0, 0])
  t.is(await losses.huber(x, labels).item(), (0.125 + 9.5 + 9.5) / 4)
  const [dx] = gradients(() => losses.huber(x, labels), [x])
  t.deepEqual(await values(dx), [0, 0.125, 0.25, -0.25])
})

test('a delta that means nothing is refused', (t) => {
  const x = tensor([1])
  for (const delta of [0, -1, Number.NaN, Infinity]) {
    t.throws(() => losses.huber(x, x, { delta }), {
      instanceOf: RangeError,
      code: 'ERR_OUT_OF_RANGE',
      message: `huber: delta must be above 0. got ${delta}`,
    })
  }
  t.throws(() => losses.huber(x, x, { delta: '1' as unknown as number }), {
    instanceOf: TypeError,
    code: 'ERR_INVALID_ARG_TYPE',
    message: 'huber: delta must be a number. got "1"',
  })
})
