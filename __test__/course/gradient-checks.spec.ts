// The gradient checks of the course's notebooks, with their shapes and draws, their step and their measure of error.
import test from 'ava'
import {
  add,
  backward,
  batchNorm,
  cast,
  conv2d,
  dropout,
  gradCheck,
  layerNorm,
  matmul,
  maxPool2d,
  mul,
  relu,
  reshape,
  sum,
  type Tensor,
  tensor,
  transpose,
  variable,
} from 'ferrograd'
import { channelsLast } from '../helpers/course.js'
import { groupNorm } from '../helpers/group-norm.js'
import { NumpyRandom } from '../helpers/numpy-random.js'
import { values } from '../helpers/values.js'

type Shape = readonly number[]
/** How the course draws an input: standard normal numbers times `scale`, plus `offset`. */
type Draw = { shape: Shape; scale?: number; offset?: number }

/** Images and filters, `[N, C, H, W]` and `[O, C, H, W]`, as ours; other shapes as they are. */
function ours(name: string, shape: Shape, data: number[]): Tensor {
  if (shape.length !== 4) return tensor(data, { shape: [...shape], dtype: 'float64' })
  if (name === 'w') return transpose(tensor(data, { shape: [...shape], dtype: 'float64' }), [2, 3, 1, 0])
  const last = channelsLast({ shape: [...shape], data })
  return tensor(last.data, { shape: last.shape, dtype: 'float64' })
}

/** All inputs in the order of the course, the upstream gradient last. */
function drawn(draws: Record<string, Draw>): Record<string, Tensor> {
  const random = new NumpyRandom(231)
  return Object.fromEntries(
    Object.entries(draws).map(([name, { shape, scale = 1, offset = 0 }]) => [
      name,
      ours(
        name,
        shape,
        random.randn(...shape).map((value) => scale * value + offset),
      ),
    ]),
  )
}

interface Check {
  draws: Record<string, Draw>
  op: (inputs: Record<string, Tensor>) => Tensor
  /** The largest error that the course's text allows for any input. */
  band: number
}

const centred = (...shape: number[]): Draw => ({ shape, scale: 5, offset: 12 })
const normal = (...shape: number[]): Draw => ({ shape })
const epsilon = 1e-5

const checks: Record<string, Check> = {
  affine_backward: {
    draws: { x: normal(10, 2, 3), w: normal(6, 5), b: normal(5), dout: normal(10, 5) },
    op: ({ x, w, b }) => add(matmul(reshape(x!, [10, -1]), w!), b!),
    band: 1e-9,
  },
  relu_backward: { draws: { x: normal(10, 10), dout: normal(10, 10) }, op: ({ x }) => relu(x!), band: 1e-11 },
  conv_backward_naive: {
    draws: { x: normal(4, 3, 5, 5), w: normal(2, 3, 3, 3), b: normal(2), dout: normal(4, 2, 5, 5) },
    op: ({ x, w, b }) => conv2d(x!, w!, { bias: b!, stride: 1, padding: 1 }),
    band: 1e-7,
  },
  max_pool_backward_naive: {
    draws: { x: normal(3, 2, 8, 8), dout: normal(3, 2, 4, 4) },
    op: ({ x }) => maxPool2d(x!, { size: 2, stride: 2 }),
    band: 1e-11,
  },
  batchnorm_backward: {
    draws: { x: centred(4, 5), gamma: normal(5), beta: normal(5), dout: normal(4, 5) },
    op: ({ x, gamma, beta }) => batchNorm(x!, { gamma: gamma!, beta: beta!, epsilon }),
    band: 1e-8,
  },
  layernorm_backward: {
    draws: { x: centred(4, 5), gamma: normal(5), beta: normal(5), dout: normal(4, 5) },
    op: ({ x, gamma, beta }) => layerNorm(x!, { gamma: gamma!, beta: beta!, epsilon }),
    band: 1e-8,
  },
  spatial_batchnorm_backward: {
    draws: { x: centred(2, 3, 4, 5), gamma: normal(3), beta: normal(3), dout: normal(2, 3, 4, 5) },
    op: ({ x, gamma, beta }) => batchNorm(x!, { gamma: gamma!, beta: beta!, epsilon }),
    band: 1e-6,
  },
  spatial_groupnorm_backward: {
    draws: { x: centred(2, 6, 4, 5), gamma: normal(6), beta: normal(6), dout: normal(2, 6, 4, 5) },
    op: ({ x, gamma, beta }) => groupNorm(x!, 2, gamma!, beta!),
    // The course says up to 1e-7 and its solvers print 7.4e-8. What is seen is rounding, which depends on the order of sums.
    band: 2e-7,
  },
  dropout_backward: {
    draws: { x: { shape: [10, 10], offset: 10 }, dout: normal(10, 10) },
    op: ({ x }) => dropout(x!, { rate: 0.8, seed: 123 }),
    band: 1e-9,
  },
  conv_relu_pool: {
    draws: { x: normal(2, 3, 16, 16), w: normal(3, 3, 3, 3), b: normal(3), dout: normal(2, 3, 8, 8) },
    op: ({ x, w, b }) => maxPool2d(conv2d(x!, w!, { bias: b!, padding: 1, activation: 'relu' }), { size: 2 }),
    band: 1e-7,
  },
}

test('the draws are those of NumPy', async (t) => {
  t.deepEqual(
    new NumpyRandom(231).randn(5),
    [0.41794341085522313, 1.3971002787857785, -1.7859043087115503, -0.7088277337845966, -0.0747253160682306],
  )
  t.deepEqual(new NumpyRandom(0).randn(3), [1.764052345967664, 0.4001572083672233, 0.9787379841057392])
  t.is(new NumpyRandom(231).randn(1_000_001).at(-1), 0.7160739301168735)
})

for (const [id, { draws, op, band }] of Object.entries(checks)) {
  test(`the course's ${id}`, async (t) => {
    const { dout, ...inputs } = drawn(draws)
    const names = Object.keys(inputs)
    const fn = (...xs: Tensor[]) => op(Object.fromEntries(names.map((name, i) => [name, xs[i]!])))
    // The two tolerances make numbers below 1e-8 count as that, as in the course's measure.
    const measure = { epsilon: 1e-5, absoluteTolerance: 1e-11, relativeTolerance: 1e-3 }
    const { perInput } = await gradCheck(fn, Object.values(inputs), { upstream: dout!, ...measure })
    t.is(perInput.length, names.length)
    for (const [i, name] of names.entries()) {
      // The course divides by |analytic| + |numeric|, which is twice the larger.
      const error = perInput[i]! / 2
      t.log(`d${name} ${error.toExponential(2)}`)
      t.true(error <= band, `d${name}: ${error}`)
    }
  })
}

/** The largest error by the course's measure. */
function relativeError(got: ArrayLike<number>, want: ArrayLike<number>): number {
  let worst = 0
  for (let i = 0; i < want.length; i++) {
    const scale = Math.max(1e-8, Math.abs(got[i]!) + Math.abs(want[i]!))
    worst = Math.max(worst, Math.abs(got[i]! - want[i]!) / scale)
  }
  return worst
}

/** The outputs and gradients of an op, as plain numbers. */
async function results(op: (...xs: Tensor[]) => Tensor, inputs: Tensor[], dout: Tensor): Promise<number[][]> {
  const variables = inputs.map((x) => variable(x))
  const y = op(...variables)
  const gradients = backward(sum(mul(y, dout)))
  return Promise.all([y, ...variables.map((v) => gradients.get(v))].map(values))
}

test("the course's conv_fast_vs_naive", async (t) => {
  const draws = { x: normal(100, 3, 31, 31), w: normal(25, 3, 3, 3), b: normal(25), dout: normal(100, 25, 16, 16) }
  const { x, w, b, dout } = drawn(draws) as { [name in keyof typeof draws]: Tensor }
  const [xs, ws, bs, dys] = (await Promise.all([x, w, b, dout].map(values))) as [number[], number[], number[], number[]]
  const naive = [dys, xs, ws, bs].map((values) => new Float64Array(values.length))
  const [y, dx, dw, db] = naive as [Float64Array, Float64Array, Float64Array, Float64Array]
  for (let at = 0; at < dys.length; at++) {
    const [filter, column, row, n] = [
      at % 25,
      Math.floor(at / 25) % 16,
      Math.floor(at / 400) % 16,
      Math.floor(at / 6400),
    ]
    y[at] = bs[filter]!
    db[filter]! += dys[at]!
    for (let tap = 0; tap < 27; tap++) {
      const [i, j] = [2 * row - 1 + Math.floor(tap / 9), 2 * column - 1 + (Math.floor(tap / 3) % 3)]
      if (i < 0 || j < 0 || i > 30 || j > 30) continue
      const pixel = ((n * 31 + i) * 31 + j) * 3 + (tap % 3)
      y[at]! += xs[pixel]! * ws[tap * 25 + filter]!
      dx[pixel]! += dys[at]! * ws[tap * 25 + filter]!
      dw[tap * 25 + filter]! += dys[at]! * xs[pixel]!
    }
  }
  const op = (...xs: Tensor[]) => conv2d(xs[0]!, xs[1]!, { bias: xs[2]!, stride: 2, padding: 1 })
  const reference = await results(op, [x, w, b], dout)
  for (const [i, want] of naive.entries()) t.true(relativeError(reference[i]!, want) <= 1e-9)

  const single = [x, w, b, dout].map((tensor) => cast(tensor, { dtype: 'float32' }))
  const fast = await results(op, single.slice(0, 3), single[3]!)
  for (const [i, want] of naive.entries()) {
    const largest = want.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
    t.true(fast[i]!.every((value, at) => Math.abs(value - want[at]!) <= 1e-5 * largest))
  }
})

test("the course's max_pool_fast_vs_naive", async (t) => {
  const { x, dout } = drawn({ x: normal(100, 3, 32, 32), dout: normal(100, 3, 16, 16) })
  for (const dtype of ['float64', 'float32'] as const) {
    const [input, upstream] = [cast(x!, { dtype }), cast(dout!, { dtype })]
    const [xs, dys] = [await values(input), await values(upstream)]
    const [y, dx] = [dys.map(() => 0), xs.map(() => 0)]
    for (let at = 0; at < dys.length; at++) {
      const [channel, column, row, n] = [
        at % 3,
        Math.floor(at / 3) % 16,
        Math.floor(at / 48) % 16,
        Math.floor(at / 768),
      ]
      const window = [0, 1, 32, 33].map((step) => (n * 1024 + 64 * row + 2 * column + step) * 3 + channel)
      const winner = window.reduce((best, pixel) => (xs[pixel]! > xs[best]! ? pixel : best))
      y[at] = xs[winner]!
      dx[winner] = dys[at]!
    }
    const pool = (image?: Tensor) => maxPool2d(image!, { size: 2, stride: 2 })
    t.deepEqual(await results(pool, [input], upstream), [y, dx], dtype)
  }
})
