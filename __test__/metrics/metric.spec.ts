import test from 'ava'
import { type Measurement, Metric, metrics, sum, type Tensor, tensor } from 'ferrograd'

class Bias extends Metric {
  constructor() {
    super('bias', 'lower')
  }

  measure(predictions: Tensor, labels: Tensor): Measurement {
    return { sums: tensor([1, 2]), count: predictions.size + labels.size * 0 }
  }

  value(sums: readonly number[], count: number): number {
    return sums[0]! + sums[1]! / count
  }
}

test('a metric of one’s own adds up what it measures', async (t) => {
  const bias = new Bias()
  const x = tensor([1, 2, 3, 4])
  bias.update(x, x)
  bias.update(x, x)
  t.is(await bias.result(), 2 + 4 / 8)
})

test('an update that is wrong does not count', async (t) => {
  const accuracy = metrics.accuracy()
  t.throws(() => accuracy.update(tensor([[1, 2]]), tensor([1, 2, 3])))
  t.is(await accuracy.result(), Number.NaN)
})

test('a reset does not get what is still on its way', async (t) => {
  const accuracy = metrics.accuracy()
  accuracy.update(tensor([[1, 2]]), tensor([1], { dtype: 'int32' }))
  const before = accuracy.result()
  accuracy.reset()
  accuracy.update(tensor([[1, 2]]), tensor([0], { dtype: 'int32' }))
  t.is(await before, 1)
  t.is(await accuracy.result(), 0)
})

test('predictions of a recorded graph may be measured', async (t) => {
  const error = metrics.meanAbsoluteError()
  const x = tensor([1, 2])
  error.update(sum(x, { keepDims: true }), tensor([1]))
  t.is(await error.result(), 2)
})

test('what measure returns is checked', (t) => {
  class Wrong extends Metric {
    measure() {
      return 3 as never
    }
    value() {
      return 0
    }
  }
  const x = tensor([1])
  t.throws(() => new Wrong('wrong').update(x, x), {
    instanceOf: TypeError,
    message: 'wrong: measure must return { sums: a Tensor, count: a number }. got 3',
  })
})
