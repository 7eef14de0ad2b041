// What losses over classes must do.

import test from 'ava'
import { type DType, DTypeError, gradCheck, gradients, mul, ShapeError, type Tensor, tensor } from 'ferrograd'
import { runChild } from './child.js'
import { refusesWeights } from './loss.js'
import { assertNear, numbers, values } from './values.js'

interface ClassLoss {
  name: 'softmaxCrossEntropy' | 'svm'
  title: string
  op: (predictions: Tensor, labels: Tensor, options?: { weights?: Tensor }) => Tensor
  /** The definition, of a row of scores and the number of its class. */
  reference: (row: number[], label: number) => number
  /** What labels of the predictions' shape are called. */
  dense: string
}

const shapes = [
  [1, 2],
  [4, 3],
  [64, 10],
  [5, 33],
  [3, 64],
  [2, 1000],
  [2, 3, 5],
  [2, 2, 3, 4],
  [3000, 10],
]

/** A class for each row. */
export const classesOf = (rows: number, classes: number): number[] =>
  Array.from({ length: rows }, (_, i) => (i * 7 + (i >> 2)) % classes)

/** The same as rows with a single one. */
export const oneHotOf = (labels: readonly number[], classes: number): number[] =>
  labels.flatMap((label) => Array.from({ length: classes }, (_, i) => (i === label ? 1 : 0)))

/** Registers the tests of one loss. */
export function testClassLoss({ name, title, op, reference, dense }: ClassLoss): void {
  for (const dtype of ['float32', 'float64'] as const) {
    test(`${title} is its definition for indices and for one-hot labels, in ${dtype}`, async (t) => {
      for (const shape of shapes) {
        const [rows, classes] = [shape.slice(0, -1), shape.at(-1)!]
        const x = mul(numbers(shape, 1, dtype), tensor(4, { dtype }))
        const xs = await values(x)
        const classNumbers = classesOf(xs.length / classes, classes)
        const each = classNumbers.map((label, row) => reference(xs.slice(row * classes, (row + 1) * classes), label))
        const within = dtype === 'float32' ? 1e-6 : 1e-13
        const hot = tensor(oneHotOf(classNumbers, classes), { shape, dtype })
        const labels = [
          tensor(classNumbers, { shape: rows, dtype: 'int32' }),
          ...(classes <= 256 ? [tensor(classNumbers, { shape: rows, dtype: 'uint8' })] : []),
          hot,
        ]
        for (const y of labels) {
          const loss = op(x, y)
          t.deepEqual(loss.shape, [])
          t.is(loss.dtype, dtype)
          const mean = each.reduce((a, b) => a + b, 0) / each.length
          assertNear(t, await values(loss), [mean], within, `[${shape}], ${y.dtype} [${y.shape}]`)
          for (let axes = 1; axes <= rows.length; axes++) {
            const weights = numbers(rows.slice(0, axes), 3, dtype)
            const ws = await values(weights)
            const share = each.length / ws.length
            const weighted = each.reduce((a, b, row) => a + b * ws[Math.floor(row / share)]!, 0) / each.length
            assertNear(
              t,
              await values(op(x, y, { weights })),
              [weighted],
              within,
              `[${shape}], weights [${weights.shape}]`,
            )
          }
        }
      }
    })
  }

  test(`${title} has the gradient of finite differences`, async (t) => {
    for (const shape of [
      [1, 2],
      [5, 4],
      [2, 3, 3],
    ]) {
      const [rows, classes] = [shape.slice(0, -1), shape.at(-1)!]
      const count = rows.reduce((a, b) => a * b)
      const indices = tensor(classesOf(count, classes), { shape: rows, dtype: 'int32' })
      const hot = tensor(oneHotOf(classesOf(count, classes), classes), { shape, dtype: 'float64' })
      const weights = numbers(rows.slice(0, 1), 3)
      for (const labels of [indices, hot]) {
        for (const options of [{}, { weights }]) {
          const result = await gradCheck((x) => op(x, labels, options), [numbers(shape)])
          t.true(result.passed, `[${shape}]: ${result.maxRelativeError}`)
        }
      }
    }
  })

  test(`${title} gives the same gradient in float32, whatever the labels are`, async (t) => {
    for (const shape of [
      [300, 10],
      [40, 65],
    ]) {
      const classes = shape[1]!
      const numbersOfClasses = classesOf(shape[0]!, classes)
      const run = async (dtype: DType, labels: Tensor) => {
        const x = numbers(shape, 1, dtype)
        const [dx] = gradients(() => op(x, labels, { weights: numbers(shape.slice(0, 1), 3, dtype) }), [x])
        return (await values(dx)).map((v) => v * shape[0]!)
      }
      const indices = tensor(numbersOfClasses, { dtype: 'int32' })
      const exact = await run('float64', indices)
      assertNear(t, await run('float32', indices), exact, 2e-6, 'int32')
      assertNear(t, await run('float32', tensor(numbersOfClasses, { dtype: 'uint8' })), exact, 2e-6, 'uint8')
      assertNear(
        t,
        await run('float32', tensor(oneHotOf(numbersOfClasses, classes), { shape })),
        exact,
        2e-6,
        'one-hot',
      )
    }
  })

  test(`${title} refuses what does not fit`, (t) => {
    const x = numbers([4, 3], 1, 'float32')
    const labels = tensor([0, 1, 2, 0], { dtype: 'int32' })
    const shapeError = (run: () => unknown, message: string) =>
      t.throws(run, { instanceOf: ShapeError, code: 'ERR_SHAPE', message: `${name}: ${message}` })
    const dtypeError = (run: () => unknown, message: string) =>
      t.throws(run, { instanceOf: DTypeError, code: 'ERR_DTYPE', message: `${name}: ${message}` })

    shapeError(
      () => op(x, tensor([0, 1, 2], { dtype: 'int32' })),
      `labels are class indices [4] or ${dense} [4, 3]. labels int32 [3], predictions [4, 3]`,
    )
    shapeError(
      () => op(x, tensor([[0], [1], [2], [0]], { dtype: 'int32' })),
      `labels are class indices [4] or ${dense} [4, 3]. labels int32 [4, 1], predictions [4, 3]`,
    )
    shapeError(
      () => op(tensor([1, 2]), labels),
      'predictions must be a batch of scores, [batch, classes]. predictions [2]',
    )
    shapeError(
      () => op(tensor([[1], [2], [3], [4]]), labels),
      'predictions have one class, so there is nothing to tell apart. predictions [4, 1]. for two classes and one score use binaryCrossEntropy',
    )
    shapeError(
      () => op(tensor([], { shape: [4, 0] }), labels),
      'predictions have no classes, so there is nothing to tell apart. predictions [4, 0]. for two classes and one score use binaryCrossEntropy',
    )
    shapeError(
      () => op(tensor([], { shape: [0, 3] }), tensor([], { dtype: 'int32' })),
      'there are no predictions to take a mean of. predictions [0, 3]',
    )
    dtypeError(
      () => op(x, tensor([0, 1, 2, 0])),
      "class indices need dtype int32 or uint8. labels float32 [4], predictions [4, 3]. make them with tensor(values, { dtype: 'int32' })",
    )
    for (const dtype of ['float64', 'int32'] as DType[]) {
      dtypeError(
        () => op(x, tensor(oneHotOf([0, 1, 2, 0], 3), { shape: [4, 3], dtype })),
        `labels that are ${dense} need the dtype of the predictions, float32. labels ${dtype} [4, 3], predictions [4, 3]. cast them: cast(labels, { dtype: 'float32' })`,
      )
    }
    dtypeError(
      () => op(tensor([[1, 2]], { dtype: 'int32' }), labels),
      "predictions has dtype int32, but the op computes on float32 and float64. cast it first: cast(predictions, { dtype: 'float32' })",
    )
    refusesWeights(t, name, (weights) => op(x, labels, { weights }), '[4, 3]')
    t.throws(() => op([1] as unknown as Tensor, labels), {
      message: `${name}: predictions must be a Tensor. got [1]. make one with tensor(values)`,
    })
    t.throws(() => op(x, [0] as unknown as Tensor), {
      message: `${name}: labels must be a Tensor. got [0]. make one with tensor(values)`,
    })
  })

  test(`${title} refuses classes that do not exist in the caller's stack`, async (t) => {
    const x = numbers([4, 3], 1, 'float32')
    for (const [label, dtype] of [
      [3, 'int32'],
      [-1, 'int32'],
      [2 ** 31 - 1, 'int32'],
      [-(2 ** 31), 'int32'],
      [255, 'uint8'],
    ] as const) {
      t.throws(() => op(x, tensor([0, 1, label, 0], { dtype })), {
        instanceOf: RangeError,
        code: 'ERR_OUT_OF_RANGE',
        message: `${name}: label ${label} (element 2) is no class: classes are numbered from 0 to 2. labels ${dtype} [4], predictions [4, 3]`,
      })
    }
    t.true(Number.isFinite(await op(x, tensor([0, 1, 2, 0], { dtype: 'int32' })).item()))
  })

  test(`${title}: what only the stream can see stops it with an error, forward and backward, in both dtypes`, async (t) => {
    for (const dtype of ['float32', 'float64']) {
      const { stdout, code } = await runChild(`
        const x = f.variable(f.zeros([2, 3], { dtype: '${dtype}' }))
        const labels = f.variable(f.tensor([0, 7], { dtype: 'int32' }))
        const loss = f.losses.${name}(x, labels)
        const gradient = f.backward(loss).get(x)
        for (const read of [loss, gradient]) await read.data().catch((error) => console.log(error.name, error.message))`)
      const message = `StreamError ${name} failed: label 7 at row 1 is no class: classes are numbered from 0 to 2`
      t.deepEqual(stdout.trim().split('\n'), [message, message])
      t.is(code, 0)
    }
  })
}
