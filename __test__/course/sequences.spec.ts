// The course's recurrent networks. There is no layer for them, but the ops are all that their formulas need.

import { add, layers, matmul, mul, reshape, sequential, sigmoid, slice, type Tensor, tanh, tensor } from 'ferrograd'
import { assertCourse, courseTensor, testCourse } from '../helpers/course.js'
import { values } from '../helpers/values.js'

/** Step `at` of `[N, T, D]`: `[N, D]`. */
function timeStep(x: Tensor, at: number): Tensor {
  const [n, , d] = x.shape as [number, number, number]
  return reshape(slice(x, { begin: [0, at, 0], size: [n, 1, d] }), [n, d])
}

/** Steps `[N, H]` in the order of `[N, T, H]`. */
async function alongTime(steps: readonly Tensor[]): Promise<number[]> {
  const all = await Promise.all(steps.map((step) => step.array() as Promise<number[][]>))
  return all[0]!.flatMap((_, row) => all.flatMap((step) => step[row]!))
}

const affine = (x: Tensor, h: Tensor, given: (name: string) => Tensor): Tensor =>
  add(add(matmul(x, given('Wx')), matmul(h, given('Wh'))), given('b'))

/** The gates stand side by side: input, forget, output, and what may be added. */
function lstmStep(x: Tensor, h: Tensor, c: Tensor, given: (name: string) => Tensor): [h: Tensor, c: Tensor] {
  const [n, units] = h.shape as [number, number]
  const all = affine(x, h, given)
  const gate = (i: number) => slice(all, { begin: [0, i * units], size: [n, units] })
  const next = add(mul(sigmoid(gate(1)), c), mul(sigmoid(gate(0)), tanh(gate(3))))
  return [mul(sigmoid(gate(2)), tanh(next)), next]
}

testCourse('rnn_step_forward_linspace', async (t, vector, precision) => {
  const given = (name: string) => courseTensor(vector, name, precision)
  const h = tanh(affine(given('x'), given('prev_h'), given))
  assertCourse(t, vector, 'next_h', await values(h), precision)
})

testCourse('rnn_forward_linspace', async (t, vector, precision) => {
  const given = (name: string) => courseTensor(vector, name, precision)
  const steps: Tensor[] = []
  for (let at = 0; at < 3; at++) steps.push(tanh(affine(timeStep(given('x'), at), steps[at - 1] ?? given('h0'), given)))
  assertCourse(t, vector, 'h', await alongTime(steps), precision)
})

testCourse('lstm_step_forward_linspace', async (t, vector, precision) => {
  const given = (name: string) => courseTensor(vector, name, precision)
  const [h, c] = lstmStep(given('x'), given('prev_h'), given('prev_c'), given)
  assertCourse(t, vector, 'next_h', await values(h), precision)
  assertCourse(t, vector, 'next_c', await values(c), precision)
})

testCourse('lstm_forward_linspace', async (t, vector, precision) => {
  const given = (name: string) => courseTensor(vector, name, precision)
  const steps: Tensor[] = []
  let [h, c] = [given('h0'), tensor(new Array(8).fill(0), { shape: [2, 4], dtype: precision })]
  for (let at = 0; at < 3; at++) {
    ;[h, c] = lstmStep(timeStep(given('x'), at), h, c, given)
    steps.push(h)
  }
  assertCourse(t, vector, 'h', await alongTime(steps), precision)
})

testCourse('word_embedding_forward', async (t, vector, precision) => {
  const embedding = layers.embedding({ inputDim: 5, outputDim: 3 })
  const model = sequential({ inputShape: [4], layers: [embedding], dtype: precision })
  model.setWeights([courseTensor(vector, 'W', precision)])
  assertCourse(t, vector, 'out', await values(model.forward(courseTensor(vector, 'x', 'int32'))), precision)
})
