import test from 'ava'
import { gradCheck, gradients, losses, softmax, tensor } from 'ferrograd'
import { runChild } from '../helpers/child.js'
import { testClassLoss } from '../helpers/class-loss.js'
import { assertCourse, courseTensor, testCourse } from '../helpers/course.js'
import { assertNear, numbers, values } from '../helpers/values.js'

const { softmaxCrossEntropy } = losses

const logSoftmaxOf = (row: number[]) => {
  const most = Math.max(...row)
  const sum = row.reduce((total, x) => total + Math.exp(x - most), 0)
  return row.map((x) => x - most - Math.log(sum))
}

for (const labelSmoothing of [0, 0.1]) {
  testClassLoss({
    name: 'softmaxCrossEntropy',
    title: `softmaxCrossEntropy with smoothing ${labelSmoothing}`,
    op: (x, labels, options) => softmaxCrossEntropy(x, labels, { ...options, labelSmoothing }),
    reference: (row, label) => {
      const target = (i: number) => (i === label ? 1 - labelSmoothing : 0) + labelSmoothing / row.length
      return -logSoftmaxOf(row).reduce((total, log, i) => total + target(i) * log, 0)
    },
    dense: 'probabilities',
  })

  test(`soft labels with smoothing ${labelSmoothing} are their definition, and have a gradient too`, async (t) => {
    for (const dtype of ['float32', 'float64'] as const) {
      const [x, labels] = [numbers([6, 5], 1, dtype), softmax(numbers([6, 5], 2, dtype))]
      const [xs, ts] = [await values(x), await values(labels)]
      const rows = [0, 1, 2, 3, 4, 5].map((row) => {
        const logs = logSoftmaxOf(xs.slice(row * 5, row * 5 + 5))
        const target = (i: number) => ts[row * 5 + i]! * (1 - labelSmoothing) + labelSmoothing / 5
        return -logs.reduce((total, log, i) => total + target(i) * log, 0)
      })
      const loss = await softmaxCrossEntropy(x, labels, { labelSmoothing }).item()
      assertNear(t, [loss], [rows.reduce((a, b) => a + b) / 6], dtype === 'float32' ? 1e-6 : 1e-13)
    }
    const options = { labelSmoothing, weights: numbers([6], 3) }
    // Each row of labels must keep its sum, so they are moved before the softmax that makes them.
    const run = (x: Parameters<typeof softmax>[0], raw: typeof x) => softmaxCrossEntropy(x, softmax(raw), options)
    const result = await gradCheck((x, raw) => run(x!, raw!), [numbers([6, 5]), numbers([6, 5], 2)])
    t.true(result.passed, `${result.maxRelativeError}`)
  })
}

test('logits of any size are exact, and a label of 0 never counts', async (t) => {
  const loss = (row: number[], label: number) =>
    softmaxCrossEntropy(tensor([row]), tensor([label], { dtype: 'int32' })).item()
  t.is(await loss([2 ** 90, 0, 0], 0), 0)
  t.is(await loss([2 ** 90, 0, 0], 1), 2 ** 90)
  t.is(await loss([0, Number.NEGATIVE_INFINITY], 0), 0)
  t.is(await loss([0, Number.NEGATIVE_INFINITY], 1), Infinity)
  t.is(await loss([Infinity, 0], 0), Number.NaN)
  t.is(await loss([0, Number.NaN], 0), Number.NaN)
  const masked = tensor([[0, Number.NEGATIVE_INFINITY]])
  t.is(await softmaxCrossEntropy(masked, tensor([[1, 0]])).item(), 0)
  const x = tensor([[1000, -1000]])
  const [dx] = gradients(() => softmaxCrossEntropy(x, tensor([1], { dtype: 'int32' })), [x])
  t.deepEqual(await values(dx), [1, -1])
})

test('many rows of nothing known cost log C each', async (t) => {
  const labels = tensor(Int32Array.from({ length: 10_000 }, (_, i) => i % 10))
  const found = await softmaxCrossEntropy(tensor(new Float32Array(100_000), { shape: [10_000, 10] }), labels).item()
  t.true(Math.abs(found - Math.log(10)) < 1e-6)
})

test('a smoothing that means nothing is refused', (t) => {
  const x = tensor([[1, 2]])
  const labels = tensor([0], { dtype: 'int32' })
  for (const labelSmoothing of [1, -0.1, 2, Number.NaN]) {
    t.throws(() => softmaxCrossEntropy(x, labels, { labelSmoothing }), {
      instanceOf: RangeError,
      code: 'ERR_OUT_OF_RANGE',
      message: `softmaxCrossEntropy: labelSmoothing must be from 0 up to but not including 1. got ${labelSmoothing}`,
    })
  }
  // @ts-expect-error: what JavaScript users can do
  t.throws(() => softmaxCrossEntropy(x, labels, { labelSmoothing: '0.1' }), {
    instanceOf: TypeError,
    message: 'softmaxCrossEntropy: labelSmoothing must be a number. got "0.1"',
  })
  // @ts-expect-error: what JavaScript users can do
  t.throws(() => softmaxCrossEntropy(x, labels, { label_smoothing: 0.1 }), {
    instanceOf: TypeError,
    message: 'softmaxCrossEntropy: there is no option label_smoothing (got 0.1). did you mean labelSmoothing?',
  })
})

test('probabilities that are none are found by the stream, which says which row', async (t) => {
  for (const [labels, what] of [
    ['[[0.5, 0.5], [0.5, 0.25]]', 'the labels of row 1 add up to 0.75, not 1'],
    ['[[1, 1], [0, 1]]', 'the labels of row 0 add up to 2, not 1'],
    ['[[1, 0], [2, -1]]', 'the labels of row 1 hold a negative number'],
    ['[[1, 0], [NaN, 1]]', 'the labels of row 1 add up to NaN, not 1'],
  ]) {
    for (const dtype of ['float32', 'float64']) {
      const { stdout } = await runChild(`
        const dtype = '${dtype}'
        const loss = f.losses.softmaxCrossEntropy(f.zeros([2, 2], { dtype }), f.tensor(${labels}, { dtype }))
        await loss.item().catch((error) => console.log(error.name, error.message))`)
      t.is(stdout.trim(), `StreamError softmaxCrossEntropy failed: ${what}`)
    }
  }
})

testCourse('softmax_loss_seed231', async (t, vector, precision) => {
  const x = courseTensor(vector, 'x', precision)
  const loss = await softmaxCrossEntropy(x, courseTensor(vector, 'y', 'int32')).item()
  assertCourse(t, vector, 'loss', [loss], precision, 10)
})
