import test from 'ava'
import { memory, metrics, ShapeError, tensor } from 'ferrograd'

const scores = tensor([
  [1, 3, 2],
  [5, 4, 3],
  [0, 1, 7],
  [2, 2, 1],
])

test('accuracy compares the highest score with class indices', async (t) => {
  const accuracy = metrics.accuracy()
  t.is(accuracy.name, 'accuracy')
  accuracy.update(scores, tensor([1, 0, 0, 0], { dtype: 'int32' }))
  t.is(await accuracy.result(), 0.75)
})

test('accuracy takes labels of any kind', async (t) => {
  const labels = {
    uint8: tensor([1, 0, 0, 0], { dtype: 'uint8' }),
    column: tensor([[1], [0], [0], [0]], { dtype: 'int32' }),
    oneHot: tensor([
      [0, 1, 0],
      [1, 0, 0],
      [1, 0, 0],
      [1, 0, 0],
    ]),
  }
  for (const [kind, label] of Object.entries(labels)) {
    const accuracy = metrics.accuracy()
    accuracy.update(scores, label)
    t.is(await accuracy.result(), 0.75, kind)
  }
})

test('accuracy judges one prediction for each label by a threshold', async (t) => {
  const predictions = tensor([[-1], [2], [0.4], [-3]])
  const labels = tensor([[0], [1], [0], [1]])
  const logits = metrics.accuracy()
  logits.update(predictions, labels)
  t.is(await logits.result(), 0.5)
  const probabilities = metrics.accuracy({ threshold: 0.5 })
  probabilities.update(predictions, labels)
  t.is(await probabilities.result(), 0.75)
})

test('accuracy of pixels', async (t) => {
  const accuracy = metrics.accuracy()
  accuracy.update(
    tensor([
      [
        [
          [1, 0],
          [0, 1],
        ],
      ],
    ]),
    tensor([[[0, 0]]], { dtype: 'int32' }),
  )
  t.is(await accuracy.result(), 0.5)
})

test('float64 predictions are judged, too, and NaN is never right', async (t) => {
  const accuracy = metrics.accuracy()
  accuracy.update(
    tensor(
      [
        [1, 2],
        [Number.NaN, 0],
      ],
      { dtype: 'float64' },
    ),
    tensor([1, 1], { dtype: 'int32' }),
  )
  t.is(await accuracy.result(), 0.5)
})

test('batches of different sizes are added up exactly', async (t) => {
  const accuracy = metrics.accuracy()
  accuracy.update(scores, tensor([1, 0, 2, 0], { dtype: 'int32' }))
  accuracy.update(tensor([[1, 0]]), tensor([1], { dtype: 'int32' }))
  t.is(await accuracy.result(), 4 / 5)
  accuracy.reset()
  t.is(await accuracy.result(), Number.NaN)
  accuracy.update(tensor([[1, 0]]), tensor([1], { dtype: 'int32' }))
  t.is(await accuracy.result(), 0)
})

test('binaryAccuracy judges each element', async (t) => {
  const accuracy = metrics.binaryAccuracy()
  t.is(accuracy.name, 'binaryAccuracy')
  accuracy.update(
    tensor([
      [1, -1, 2],
      [-1, -1, 3],
    ]),
    tensor([
      [1, 0, 0],
      [0, 1, 1],
    ]),
  )
  t.is(await accuracy.result(), 4 / 6)
})

test('topKAccuracy allows some guesses', async (t) => {
  for (const [k, expected] of [
    [1, 1 / 4],
    [2, 3 / 4],
    [3, 1],
    [9, 1],
  ] as const) {
    const metric = metrics.topKAccuracy({ k })
    metric.update(scores, tensor([2, 2, 1, 0], { dtype: 'int32' }))
    t.is(await metric.result(), expected, `k = ${k}`)
  }
  const five = metrics.topKAccuracy()
  five.update(tensor([[6, 5, 4, 3, 2, 1]]), tensor([4], { dtype: 'int32' }))
  five.update(tensor([[6, 5, 4, 3, 2, 1]]), tensor([5], { dtype: 'int32' }))
  t.is(await five.result(), 0.5)
})

test.serial('updates keep nothing', async (t) => {
  const accuracy = metrics.accuracy()
  const labels = tensor([1, 0, 2, 0], { dtype: 'int32' })
  const before = memory().tensors
  for (let i = 0; i < 10; i++) accuracy.update(scores, labels)
  t.is(memory().tensors, before)
  t.is(await accuracy.result(), 1)
})

test('what does not go together is refused', (t) => {
  const cases: [() => unknown, string][] = [
    [
      () => metrics.accuracy().update(scores, tensor([1, 2], { dtype: 'int32' })),
      'accuracy: labels are class indices [4] or one-hot [4, 3] for predictions [4, 3]. got labels [2]',
    ],
    [
      () => metrics.binaryAccuracy().update(scores, tensor([1])),
      'binaryAccuracy: each prediction needs one label. predictions [4, 3], labels [1]',
    ],
    [
      () => metrics.accuracy().update(tensor([[1, 2]], { dtype: 'int32' }), tensor([1])),
      "accuracy: predictions has dtype int32, but the op computes on float32 and float64. cast it first: cast(predictions, { dtype: 'float32' })",
    ],
    [
      () => metrics.accuracy().update([1] as never, tensor([1])),
      'accuracy: predictions must be a Tensor. got [1]. make one with tensor(values)',
    ],
    [() => metrics.topKAccuracy({ k: 0 }), 'metrics.topKAccuracy: k must be a whole number from 1. got 0'],
    [() => metrics.topKAccuracy({ k: 1.5 }), 'metrics.topKAccuracy: k must be a whole number from 1. got 1.5'],
    [() => metrics.accuracy({ threshold: Number.NaN }), 'metrics.accuracy: threshold must be finite. got NaN'],
    [
      () => metrics.accuracy({ k: 3 } as never),
      'metrics.accuracy: there is no option k (got 3). valid are threshold and name',
    ],
    [
      () => metrics.accuracy({ name: 'loss' }),
      "metrics.accuracy: name must be a string other than 'loss', and not begin with 'val_'. got \"loss\"",
    ],
  ]
  for (const [call, message] of cases) t.is(t.throws(call)?.message, message)
  t.throws(() => metrics.accuracy().update(scores, tensor([1])), { instanceOf: ShapeError })
})
