import test from 'ava'
import { metrics, ShapeError, tensor } from 'ferrograd'

test('mean errors over all elements of all batches', async (t) => {
  const [squared, absolute] = [metrics.meanSquaredError(), metrics.meanAbsoluteError()]
  for (const metric of [squared, absolute]) {
    metric.update(
      tensor([
        [1, 2],
        [3, 4],
      ]),
      tensor([
        [1, 0],
        [0, 4],
      ]),
    )
    metric.update(tensor([[10, 0]]), tensor([[0, 0]]))
  }
  t.is(await squared.result(), (4 + 9 + 100) / 6)
  t.is(await absolute.result(), (2 + 3 + 10) / 6)
  t.is(squared.name, 'meanSquaredError')
  t.is(metrics.meanAbsoluteError({ name: 'mae' }).name, 'mae')
})

test('shapes are not stretched', (t) => {
  t.throws(() => metrics.meanSquaredError().update(tensor([[1], [2]]), tensor([1, 2])), {
    instanceOf: ShapeError,
    message: 'meanSquaredError: predictions and labels must have one shape. predictions [2, 1], labels [2]',
  })
})
