import test from 'ava'
import {
  type BatchNormOptions,
  batchNorm,
  DTypeError,
  gradCheck,
  gradients,
  layers,
  mul,
  noGrad,
  ShapeError,
  sequential,
  sum,
  type Tensor,
  tensor,
} from 'ferrograd'
import { runChild } from '../helpers/child.js'
import { assertCourse, columnStatistics, courseImages, courseTensor, testCourse } from '../helpers/course.js'
import { assertNear, numbers, values } from '../helpers/values.js'

/** y with the statistics of each column of `x`, or with given ones. */
function reference(
  x: readonly number[],
  [gamma, beta]: readonly [readonly number[], readonly number[]],
  epsilon: number,
  given?: { means: readonly number[]; variances: readonly number[] },
): number[] {
  const channels = gamma.length
  const { means, deviations } = columnStatistics(x, channels)
  const variances = given?.variances ?? deviations.map((d) => d * d)
  return x.map((v, i) => {
    const c = i % channels
    return (gamma[c]! * (v - (given?.means ?? means)[c]!)) / Math.sqrt(variances[c]! + epsilon) + beta[c]!
  })
}

const shapes = [
  [8, 5],
  [1, 3],
  [300, 1],
  [4, 6, 6, 3],
  [2, 5, 7, 64],
  [3, 4, 33],
  [2, 1, 3, 1, 2, 17],
  [7, 300],
]

for (const dtype of ['float32', 'float64'] as const) {
  const within = dtype === 'float32' ? 2e-6 : 1e-12
  test(`batchNorm is its definition, with the batch's statistics and with given ones, in ${dtype}`, async (t) => {
    for (const shape of shapes) {
      const c = [shape.at(-1)!]
      const x = mul(numbers(shape, 1, dtype), tensor(3, { dtype }))
      const [gamma, beta, mean] = [numbers(c, 2, dtype), numbers(c, 3, dtype), numbers(c, 4, dtype)]
      const variance = mul(numbers(c, 5, dtype), numbers(c, 5, dtype))
      const [xs, scale, means, variances] = [
        await values(x),
        [await values(gamma), await values(beta)] as const,
        await values(mean),
        await values(variance),
      ]
      const y = batchNorm(x, { gamma, beta })
      t.deepEqual(y.shape, shape)
      t.is(y.dtype, dtype)
      assertNear(t, await values(y), reference(xs, scale, 1e-3), within, `[${shape}]`)
      const plain = [c[0]! === 0 ? [] : scale[0].map(() => 1), scale[0].map(() => 0)] as const
      assertNear(
        t,
        await values(batchNorm(x, { epsilon: 0.1 })),
        reference(xs, plain, 0.1),
        within,
        `[${shape}], plain`,
      )
      const inferred = await values(batchNorm(x, { gamma, beta, mean, variance, epsilon: 0.01 }))
      assertNear(t, inferred, reference(xs, scale, 0.01, { means, variances }), 4 * within, `[${shape}], given`)
    }
  })
}

/** Checks the gradients of every tensor that the call takes. */
async function gradientsAreRight(x: Tensor, options: Record<string, Tensor>): Promise<boolean> {
  const names = Object.keys(options)
  const result = await gradCheck(
    (x, ...given) => batchNorm(x, Object.fromEntries(names.map((name, i) => [name, given[i]!]))),
    [x, ...Object.values(options)],
  )
  return result.passed
}

test('batchNorm has the gradient of finite differences, for every tensor it takes', async (t) => {
  for (const shape of [
    [6, 3],
    [2, 3, 2, 4],
    [1, 2],
  ]) {
    const c = [shape.at(-1)!]
    const [gamma, beta, mean] = [numbers(c, 2), numbers(c, 3), numbers(c, 4)]
    const variance = tensor(c[0]! === 2 ? [0.5, 1.5] : [0.5, 1.5, 0.7, 2].slice(0, c[0]), { dtype: 'float64' })
    t.true(await gradientsAreRight(numbers(shape), { gamma, beta }), `[${shape}]`)
    t.true(await gradientsAreRight(numbers(shape), {}), `[${shape}], plain`)
    t.true(await gradientsAreRight(numbers(shape), { gamma, beta, mean, variance }), `[${shape}], given`)
  }
})

test('gradients in float32 are those of float64, together and one by one', async (t) => {
  for (const shape of [
    [500, 3],
    [4, 9, 9, 24],
  ]) {
    const run = async (dtype: 'float32' | 'float64', wanted: readonly number[], given: boolean) => {
      const c = [shape.at(-1)!]
      const [x, dy] = [numbers(shape, 1, dtype), numbers(shape, 6, dtype)]
      const [gamma, beta, mean] = [numbers(c, 2, dtype), numbers(c, 3, dtype), numbers(c, 4, dtype)]
      const variance = mul(numbers(c, 5, dtype), numbers(c, 5, dtype))
      const options: BatchNormOptions = given ? { gamma, beta, mean, variance, epsilon: 0.1 } : { gamma, beta }
      const all = [x, gamma, beta, mean, variance]
      const found = gradients(
        () => sum(mul(batchNorm(x, options), dy)),
        wanted.map((i) => all[i]!),
      )
      return Promise.all(found.map(values))
    }
    for (const given of [false, true]) {
      const names = given ? [0, 1, 2, 3, 4] : [0, 1, 2]
      const exact = await run('float64', names, given)
      const together = await run('float32', names, given)
      for (const i of names) {
        const size = Math.sqrt(exact[i]!.reduce((total, v) => total + v * v, 0) / exact[i]!.length)
        const difference = together[i]!.map((v, at) => Math.abs(v - exact[i]![at]!))
        t.true(Math.max(...difference) < 2e-5 * Math.max(size, 1), `gradient ${i} of [${shape}], given: ${given}`)
        t.deepEqual((await run('float32', [i], given))[0], together[i], `gradient ${i} alone`)
      }
    }
  }
})

test('a mean far beyond the spread costs nothing', async (t) => {
  const x = Array.from({ length: 4000 }, (_, i) => 1e6 + 1e-2 * Math.sin(i))
  const y = await values(batchNorm(tensor(x, { shape: [2000, 2], dtype: 'float64' }), { epsilon: 1e-12 }))
  const small = Array.from({ length: 4000 }, (_, i) => 1e-2 * Math.sin(i))
  const unit = [
    [1, 1],
    [0, 0],
  ] as const
  assertNear(t, y, reference(small, unit, 1e-12), 1e-5)
  // Float32 moves in steps of 1/16 there.
  const steps = Array.from({ length: 4000 }, (_, i) => Math.round(3 * Math.sin(i)) / 16)
  const far = tensor(
    steps.map((v) => 1e6 + v),
    { shape: [2000, 2] },
  )
  assertNear(t, await values(batchNorm(far, { epsilon: 1e-12 })), reference(steps, unit, 1e-12), 2e-6)
})

test('a constant batch gives exactly beta, and so does a batch of one', async (t) => {
  const [gamma, beta] = [tensor([2, -3]), tensor([0.25, -7])]
  for (const epsilon of [1e-3, 1e-30, 1e-300]) {
    const constant = tensor(new Float32Array(40).fill(0.1), { shape: [20, 2] })
    t.deepEqual((await values(batchNorm(constant, { gamma, beta, epsilon }))).slice(-4), [0.25, -7, 0.25, -7])
    t.deepEqual(await values(batchNorm(tensor([[3, 4]]), { gamma, beta, epsilon })), [0.25, -7])
  }
})

test('neither huge nor tiny numbers are lost', async (t) => {
  const data = Array.from({ length: 300 }, (_, i) => Math.sin(i))
  const unit = [[1], [0]] as const
  for (const scale of [1e20, 1e37, 1e-30]) {
    const x = tensor(
      data.map((v) => v * scale),
      { shape: [300, 1] },
    )
    const y = await values(batchNorm(x, { epsilon: 1e-300 }))
    assertNear(t, y, reference(data, unit, 0), 1e-5, `${scale}`)
  }
})

test('a NaN, an infinity or a broken statistic stays in its channel', async (t) => {
  const fine = (y: number[]) => y.every((v, i) => Number.isNaN(v) === (i % 3 === 1))
  for (const bad of [Number.NaN, Infinity, -Infinity]) {
    const x = Array.from({ length: 30 }, (_, i) => (i === 13 ? bad : i))
    t.true(fine(await values(batchNorm(tensor(x, { shape: [10, 3] })))), `${bad}`)
  }
  const options = (variance: number) => ({ mean: tensor([0, 0, 0]), variance: tensor([1, variance, 1]) })
  const x = numbers([4, 3], 1, 'float32')
  t.true(fine(await values(batchNorm(x, options(Number.NaN)))))
  t.true((await values(batchNorm(x, options(Infinity)))).every((v, i) => (v === 0) === (i % 3 === 1)))
})

test('an empty batch has no statistics, but can be normalised with given ones', async (t) => {
  const x = tensor([], { shape: [0, 3] })
  const given = { mean: tensor([1, 2, 3]), variance: tensor([1, 1, 1]) }
  t.deepEqual(await batchNorm(x, given).array(), [])
  const [dx] = gradients(() => sum(batchNorm(x, given)), [x])
  t.deepEqual(dx.shape, [0, 3])
  t.throws(() => batchNorm(x), {
    instanceOf: ShapeError,
    code: 'ERR_SHAPE',
    message: 'batchNorm: an empty batch has no mean. input [0, 3]',
  })
})

test('what does not fit is refused with the reason', (t) => {
  const x = numbers([4, 3], 1, 'float32')
  const three = tensor([1, 1, 1])
  const shapeError = (run: () => unknown, message: string) =>
    t.throws(run, { instanceOf: ShapeError, code: 'ERR_SHAPE', message: `batchNorm: ${message}` })
  shapeError(
    () => batchNorm(tensor([1, 2])),
    'the input must have a batch and channels. input [2]. give it at least 2 axes',
  )
  shapeError(() => batchNorm(tensor([], { shape: [4, 0] })), 'the input has no channels. input [4, 0]')
  for (const name of ['gamma', 'beta']) {
    for (const [wrong, shown] of [
      [tensor([1, 1]), '[2]'],
      [tensor([[1, 1, 1]]), '[1, 3]'],
      [tensor(1), '[]'],
    ] as const) {
      shapeError(
        () => batchNorm(x, { [name]: wrong }),
        `${name} must have one number for each of 3 channels, shape [3]. ${name} ${shown}, input [4, 3]`,
      )
    }
    t.throws(() => batchNorm(x, { [name]: tensor([1, 1, 1], { dtype: 'float64' }) }), {
      instanceOf: DTypeError,
      message: `batchNorm: x has dtype float32, but ${name} has float64. cast one: cast(${name}, { dtype: 'float32' })`,
    })
  }
  shapeError(
    () => batchNorm(x, { mean: tensor([1]), variance: three }),
    'mean must have one number for each of 3 channels, shape [3]. mean [1], input [4, 3]',
  )
  t.throws(() => batchNorm(x, { mean: three }), {
    instanceOf: TypeError,
    message: "batchNorm: mean is given, but variance is not. give both, or neither to use the batch's",
  })
  t.throws(() => batchNorm(x, { variance: three }), {
    instanceOf: TypeError,
    message: "batchNorm: variance is given, but mean is not. give both, or neither to use the batch's",
  })
  for (const epsilon of [0, -1e-3, Number.NaN, Infinity]) {
    t.throws(() => batchNorm(x, { epsilon }), {
      instanceOf: RangeError,
      code: 'ERR_OUT_OF_RANGE',
      message: `batchNorm: epsilon must be a number above 0. got ${epsilon}`,
    })
  }
  t.throws(() => batchNorm(x, { epsilon: '1e-5' as unknown as number }), {
    instanceOf: TypeError,
    message: 'batchNorm: epsilon must be a number above 0. got "1e-5"',
  })
  t.throws(() => batchNorm(tensor([[1]], { dtype: 'int32' })), {
    instanceOf: DTypeError,
    message:
      "batchNorm: x has dtype int32, but the op computes on float32 and float64. cast it first: cast(x, { dtype: 'float32' })",
  })
  t.throws(() => batchNorm([[1]] as unknown as Tensor), {
    message: 'batchNorm: x must be a Tensor. got [[1]]. make one with tensor(values)',
  })
})

test('a negative variance is found by the stream, which says so', async (t) => {
  const { stdout } = await runChild(`
    const y = f.batchNorm(f.ones([2, 3]), { mean: f.zeros([3]), variance: f.tensor([1, 1, -0.5]) })
    await y.data().catch((error) => console.log(error.name, error.message))`)
  t.is(stdout.trim(), 'StreamError batchNorm failed: the variance of channel 2 is -0.5, which no data has')
})

test('running statistics move in training, inside noGrad too, and before any training are 0 and 1', async (t) => {
  const model = sequential({ inputShape: [2], layers: [layers.batchNorm({ momentum: 0.75 })] })
  const running = async () => (await Promise.all(model.weights.slice(2).map(values))).flat()
  const x = tensor([
    [1, 10],
    [3, 30],
  ])
  assertNear(
    t,
    await values(model.forward(x)),
    await values(batchNorm(x, { mean: tensor([0, 0]), variance: tensor([1, 1]) })),
    1e-6,
  )
  t.deepEqual(await running(), [0, 0, 1, 1])
  noGrad(() => model.forward(x, { training: true }))
  t.deepEqual(await running(), [0.5, 5, 1, 25.75])
  model.forward(x)
  t.deepEqual(await running(), [0.5, 5, 1, 25.75])
})

testCourse('batchnorm_train_seed231', async (t, vector, precision) => {
  const a = courseTensor(vector, 'a', precision)
  const before = columnStatistics(await values(a), 3)
  assertCourse(t, vector, 'means_before', before.means, precision)
  const after = columnStatistics(await values(batchNorm(a, { epsilon: 1e-5 })), 3)
  assertCourse(t, vector, 'means_after', after.means, precision)
  assertCourse(t, vector, 'stds_after', after.deviations, precision)
  const [gamma, beta] = [courseTensor(vector, 'gamma2', precision), courseTensor(vector, 'beta2', precision)]
  const scaled = columnStatistics(await values(batchNorm(a, { gamma, beta, epsilon: 1e-5 })), 3)
  assertCourse(t, vector, 'means_after2', scaled.means, precision)
  assertCourse(t, vector, 'stds_after2', scaled.deviations, precision)
})

testCourse('spatial_batchnorm_train_seed231', async (t, vector, precision) => {
  const x = courseImages(vector, 'x', precision)
  const unit = columnStatistics(await values(batchNorm(x, { epsilon: 1e-5 })), 3)
  assertCourse(t, vector, 'stds_after_unit', unit.deviations, precision)
  const [gamma, beta] = [courseTensor(vector, 'gamma', precision), courseTensor(vector, 'beta', precision)]
  const after = columnStatistics(await values(batchNorm(x, { gamma, beta, epsilon: 1e-5 })), 3)
  assertCourse(t, vector, 'means_after', after.means, precision)
  assertCourse(t, vector, 'stds_after', after.deviations, precision)
})

testCourse('batchnorm_running_stats_seed231', async (t, vector, dtype) => {
  const norm = layers.batchNorm({ momentum: 0.9, epsilon: 1e-5, movingVarianceInitializer: 'zeros' })
  const model = sequential({ inputShape: [3], layers: [norm], dtype })
  const { data } = vector.inputs.train_batches!
  for (let batch = 0; batch < 50; batch++) {
    model.forward(tensor(data.slice(batch * 600, (batch + 1) * 600), { shape: [200, 3], dtype }), { training: true })
  }
  const after = columnStatistics(await values(model.forward(courseTensor(vector, 'eval_batch', dtype))), 3)
  assertCourse(t, vector, 'means_eval', after.means, dtype, 7)
  assertCourse(t, vector, 'stds_eval', after.deviations, dtype, 7)
})
