import test from 'ava'
import { type Metric, metrics, ShapeError, tensor } from 'ferrograd'

// Predicted classes 0 0 1 1 2, labels 0 1 1 1 0.
const scores = tensor([
  [9, 0, 0],
  [9, 0, 0],
  [0, 9, 0],
  [0, 9, 0],
  [0, 0, 9],
])
const labels = tensor([0, 1, 1, 1, 0], { dtype: 'int32' })

async function value(metric: Metric): Promise<number> {
  metric.update(scores, labels)
  return metric.result()
}

test('one class alone', async (t) => {
  t.is(await value(metrics.precision({ classId: 0 })), 1 / 2)
  t.is(await value(metrics.precision({ classId: 1 })), 1)
  t.is(await value(metrics.precision({ classId: 2 })), 0)
  t.is(await value(metrics.recall({ classId: 0 })), 1 / 2)
  t.is(await value(metrics.recall({ classId: 1 })), 2 / 3)
  t.is(await value(metrics.recall({ classId: 2 })), 0)
})

test('the mean of the classes that occur', async (t) => {
  t.is(await value(metrics.precision()), (1 / 2 + 1 + 0) / 3)
  t.is(await value(metrics.recall()), (1 / 2 + 2 / 3 + 0) / 3)
  const precision = metrics.precision()
  // Class 2 neither occurs nor is predicted.
  precision.update(
    tensor([
      [1, 0, 0],
      [0, 1, 0],
    ]),
    tensor([0, 0], { dtype: 'int32' }),
  )
  t.is(await precision.result(), (1 + 0) / 2)
})

test('counts are added up over batches, not ratios', async (t) => {
  const precision = metrics.precision({ classId: 1 })
  const one = (rows: number[][], indices: number[]) =>
    precision.update(tensor(rows), tensor(indices, { dtype: 'int32' }))
  one([[0, 1]], [1])
  one(
    [
      [0, 1],
      [0, 1],
      [0, 1],
    ],
    [0, 0, 1],
  )
  t.is(await precision.result(), 2 / 4)
})

test('yes or no', async (t) => {
  const predictions = tensor([[2], [1], [-1], [0.3], [-2]])
  const truth = tensor([[1], [0], [1], [1], [0]])
  const of = async (metric: Metric) => {
    metric.update(predictions, truth)
    return metric.result()
  }
  t.is(await of(metrics.precision()), 2 / 3)
  t.is(await of(metrics.recall()), 2 / 3)
  t.is(await of(metrics.precision({ threshold: 0.5 })), 1 / 2)
  t.is(await of(metrics.recall({ threshold: 0.5 })), 1 / 3)
  t.is(await of(metrics.precision({ threshold: 5 })), 0)
})

test('several questions at once, each by the threshold', async (t) => {
  const recall = metrics.recall({ threshold: 0 })
  recall.update(
    tensor([
      [1, -1],
      [1, 1],
    ]),
    tensor([
      [1, 1],
      [0, 1],
    ]),
  )
  t.is(await recall.result(), 2 / 3)
})

test('one-hot labels', async (t) => {
  const precision = metrics.precision({ classId: 1 })
  precision.update(
    tensor([
      [0, 1],
      [0, 1],
    ]),
    tensor([
      [0, 1],
      [1, 0],
    ]),
  )
  t.is(await precision.result(), 1 / 2)
})

test('names, and what makes no sense', (t) => {
  t.is(metrics.precision({ name: 'p' }).name, 'p')
  t.is(metrics.recall().name, 'recall')
  const cases: [() => unknown, string][] = [
    [
      () => metrics.precision({ classId: 3 }).update(scores, labels),
      'precision: there is no class 3: the predictions have 3 classes',
    ],
    [
      () => metrics.recall({ classId: 0 }).update(tensor([[1]]), tensor([[1]])),
      'recall: classId 0 needs predictions of several classes, [batch, classes]',
    ],
    [
      () => metrics.precision({ classId: 0, threshold: 0.5 }),
      'metrics.precision: give classId, to judge one of several classes by the highest score, or threshold, to judge each element by itself',
    ],
    [() => metrics.recall({ classId: -1 }), 'metrics.recall: classId must be a whole number from 0. got -1'],
    [() => metrics.recall({ threshold: '1' as never }), 'metrics.recall: threshold must be a number. got "1"'],
  ]
  for (const [call, message] of cases) t.is(t.throws(call)?.message, message)
  t.throws(() => metrics.precision({ classId: 3 }).update(scores, labels), { instanceOf: ShapeError })
})
