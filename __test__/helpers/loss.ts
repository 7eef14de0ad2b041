// What losses must do, whatever they compute.

import test, { type ExecutionContext } from 'ava'
import {
  type DType,
  DTypeError,
  GradientError,
  gradCheck,
  gradients,
  ShapeError,
  type Tensor,
  tensor,
  variable,
} from 'ferrograd'
import { assertNear, numbers, values } from './values.js'

type Loss = (predictions: Tensor, labels: Tensor, options?: { weights?: Tensor }) => Tensor

interface ElementLoss {
  name: string
  op: Loss
  /** The definition, of a prediction and a label. */
  reference: (x: number, t: number) => number
  /** What is shown in titles where there are several forms. Default: the name. */
  title?: string
  /** Whether labels are probabilities. */
  probabilities?: boolean
}

/** Labels between -1 and 1, or between 0 and 1. */
async function labelsOf(shape: readonly number[], dtype: DType, probabilities: boolean): Promise<Tensor> {
  const data = (await values(numbers(shape, 2, 'float64'))).map((v) => (probabilities ? Math.abs(v) : v))
  return tensor(data, { shape, dtype })
}

/** Registers the tests of a loss that averages over single elements. */
export function testElementLoss({ name, op, reference, title = name, probabilities = false }: ElementLoss): void {
  const mean = (x: readonly number[], t: readonly number[], weight: (i: number) => number = () => 1) =>
    x.reduce((total, v, i) => total + weight(i) * reference(v, t[i]!), 0) / x.length

  for (const dtype of ['float32', 'float64'] as const) {
    test(`${title} is its definition, with and without weights, in ${dtype}`, async (t) => {
      for (const shape of [[], [1], [7], [4, 3], [2, 3, 5], [64, 33], [3, 4, 5, 6], [2000, 7]]) {
        const [x, labels] = [numbers(shape, 1, dtype), await labelsOf(shape, dtype, probabilities)]
        const [xs, ts] = [await values(x), await values(labels)]
        const loss = op(x, labels)
        t.deepEqual(loss.shape, [])
        t.is(loss.dtype, dtype)
        const within = dtype === 'float32' ? 5e-7 : 1e-13
        assertNear(t, await values(loss), [mean(xs, ts)], within, `[${shape}]`)
        for (let axes = 1; axes <= shape.length; axes++) {
          const weights = numbers(shape.slice(0, axes), 3, dtype)
          const ws = await values(weights)
          const share = x.size / weights.size
          const weighted = mean(xs, ts, (i) => ws[Math.floor(i / share)]!)
          assertNear(
            t,
            await values(op(x, labels, { weights })),
            [weighted],
            within,
            `[${shape}], weights [${weights.shape}]`,
          )
        }
      }
    })
  }

  test(`${title} has the gradient of finite differences, of predictions and of labels`, async (t) => {
    for (const shape of [[], [6], [3, 4], [2, 2, 3]]) {
      const inputs = [numbers(shape), await labelsOf(shape, 'float64', probabilities)]
      t.true((await gradCheck((x, labels) => op(x!, labels!), inputs)).passed, `[${shape}]`)
      for (let axes = 1; axes <= shape.length; axes++) {
        const weights = numbers(shape.slice(0, axes), 3)
        t.true((await gradCheck((x, labels) => op(x!, labels!, { weights }), inputs)).passed, `[${shape}], weights`)
      }
    }
  })

  test(`${title} gives the same gradients in float32`, async (t) => {
    const shape = [300, 40]
    const run = async (dtype: DType) => {
      const [x, labels] = [numbers(shape, 1, dtype), await labelsOf(shape, dtype, probabilities)]
      const found = gradients(() => op(x, labels, { weights: numbers([300], 3, dtype) }), [x, labels])
      return Promise.all(found.map(values))
    }
    const [fast, exact] = [await run('float32'), await run('float64')]
    for (const i of [0, 1]) {
      const scaled = (all: number[]) => all.map((v) => v * 12_000)
      assertNear(t, scaled(fast[i]!), scaled(exact[i]!), 2e-6)
    }
  })

  test(`${title} refuses what does not fit`, (t) => {
    const [four, column] = [tensor([0, 1, 0, 1]), tensor([[0], [1], [0], [1]])]
    t.throws(() => op(four, column), {
      instanceOf: ShapeError,
      code: 'ERR_SHAPE',
      message: `${name}: predictions and labels must have the same shape: nothing is broadcast. predictions [4], labels [4, 1]. reshape one of them`,
    })
    t.throws(() => op(tensor([], { shape: [0, 3] }), tensor([], { shape: [0, 3] })), {
      instanceOf: ShapeError,
      message: `${name}: there are no predictions to take a mean of. predictions [0, 3], labels [0, 3]`,
    })
    t.throws(() => op(four, tensor([0, 1, 0, 1], { dtype: 'int32' })), {
      instanceOf: DTypeError,
      code: 'ERR_DTYPE',
      message: `${name}: predictions have dtype float32, but labels have int32. cast one: cast(labels, { dtype: 'float32' })`,
    })
    t.throws(() => op(tensor([1], { dtype: 'int32' }), tensor([1], { dtype: 'int32' })), {
      instanceOf: DTypeError,
      message: `${name}: predictions has dtype int32, but the op computes on float32 and float64. cast it first: cast(predictions, { dtype: 'float32' })`,
    })
    refusesWeights(t, name, (weights) => op(four, four, { weights }), '[4]')
    t.throws(() => op(tensor(1), tensor(1), { weights: tensor(1) }), {
      instanceOf: ShapeError,
      message: `${name}: there must be one weight for each sample. weights [], predictions []. a single prediction takes none`,
    })
    t.throws(() => op([1] as unknown as Tensor, four), {
      message: `${name}: predictions must be a Tensor. got [1]. make one with tensor(values)`,
    })
    t.throws(() => op(four, [1] as unknown as Tensor), {
      message: `${name}: labels must be a Tensor. got [1]. make one with tensor(values)`,
    })
  })
}

/** What is wrong with weights, for four samples. */
export function refusesWeights(
  t: ExecutionContext,
  name: string,
  run: (weights: Tensor) => unknown,
  predictions: string,
): void {
  for (const [weights, shown] of [
    [tensor([1, 1, 1]), '[3]'],
    [tensor(1), '[]'],
    [tensor([[1, 1, 1, 1]]), '[1, 4]'],
  ] as const) {
    t.throws(() => run(weights), {
      instanceOf: ShapeError,
      code: 'ERR_SHAPE',
      message: `${name}: there must be one weight for each sample. weights ${shown}, predictions ${predictions}. use [4]`,
    })
  }
  t.throws(() => run(tensor([1, 1, 1, 1], { dtype: 'float64' })), {
    instanceOf: DTypeError,
    message: `${name}: predictions have dtype float32, but weights have float64. cast one: cast(weights, { dtype: 'float32' })`,
  })
  t.throws(() => run(variable(tensor([1, 1, 1, 1]))), {
    instanceOf: GradientError,
    code: 'ERR_GRADIENT',
    message: `${name}: weights have no gradient, but these depend on a variable. compute them inside noGrad`,
  })
  t.throws(() => run([1] as unknown as Tensor), {
    message: `${name}: weights must be a Tensor. got [1]. make one with tensor(values)`,
  })
}
