import test from 'ava'
import { DTypeError, gradients, losses, tensor, variable } from 'ferrograd'
import { runChild } from '../helpers/child.js'
import { testClassLoss } from '../helpers/class-loss.js'
import { assertCourse, courseTensor, testCourse } from '../helpers/course.js'
import { assertNear, values } from '../helpers/values.js'

for (const margin of [1, 0.25, 0]) {
  testClassLoss({
    name: 'svm',
    title: `svm with margin ${margin}`,
    op: (x, labels, options) => losses.svm(x, labels, { ...options, margin }),
    reference: (row, label) =>
      row.reduce((sum, score, i) => sum + (i === label ? 0 : Math.max(0, score - row[label]! + margin)), 0),
    dense: 'one-hot',
  })
}

test("the lecture's three images", async (t) => {
  const scores = [
    [3.2, 5.1, -1.7],
    [1.3, 4.9, 2.0],
    [2.2, 2.5, -3.1],
  ]
  const each = [2.9, 0, 12.9]
  const loss = losses.svm(tensor(scores, { dtype: 'float64' }), tensor([0, 1, 2], { dtype: 'int32' }))
  assertNear(t, [await loss.item()], [each.reduce((a, b) => a + b) / 3], 1e-12)
})

test('at a kink the gradient is 0', async (t) => {
  const x = tensor([[2, 1, 3, 0]])
  const [dx] = gradients(() => losses.svm(x, tensor([0], { dtype: 'int32' })), [x])
  t.deepEqual(await values(dx), [-1, 0, 1, 0])
})

test('a NaN among the scores shows, in the gradient too', async (t) => {
  for (const scores of [
    [Number.NaN, 1, 2],
    [1, Number.NaN, 2],
  ]) {
    const x = tensor([scores])
    const labels = tensor([0], { dtype: 'int32' })
    t.is(await losses.svm(x, labels).item(), Number.NaN)
    const [dx] = gradients(() => losses.svm(x, labels), [x])
    t.true((await values(dx)).some(Number.isNaN))
  }
})

test('a margin that means nothing is refused, and so are labels with a gradient', (t) => {
  const x = tensor([[1, 2]])
  const labels = tensor([0], { dtype: 'int32' })
  for (const margin of [-1, Number.NaN, Infinity]) {
    t.throws(() => losses.svm(x, labels, { margin }), {
      instanceOf: RangeError,
      code: 'ERR_OUT_OF_RANGE',
      message: `svm: margin must be 0 or more. got ${margin}`,
    })
  }
  t.throws(() => losses.svm(x, variable(tensor([[1, 0]]))), {
    instanceOf: DTypeError,
    message:
      'svm: one-hot labels have no gradient, but these depend on a variable. labels float32 [1, 2], predictions [1, 2]',
  })
})

test('rows that are not one-hot are found by the stream, which says which', async (t) => {
  for (const labels of ['[[1, 0], [0.5, 0.5]]', '[[1, 0], [1, 1]]', '[[1, 0], [0, 0]]', '[[1, 0], [NaN, 1]]']) {
    for (const dtype of ['float32', 'float64']) {
      const { stdout } = await runChild(`
        const dtype = '${dtype}'
        const loss = f.losses.svm(f.zeros([2, 2], { dtype }), f.tensor(${labels}, { dtype }))
        await loss.item().catch((error) => console.log(error.name, error.message))`)
      t.is(stdout.trim(), 'StreamError svm failed: the labels of row 1 are not one-hot: one 1 and zeros elsewhere')
    }
  }
})

testCourse('svm_loss_seed231', async (t, vector, precision) => {
  const loss = await losses.svm(courseTensor(vector, 'x', precision), courseTensor(vector, 'y', 'int32')).item()
  assertCourse(t, vector, 'loss', [loss], precision, 10)
})
