// What whitening promises: the covariance of the training data becomes the identity.
import test, { type ExecutionContext } from 'ava'
import { datasets, matmul, preprocessing, randomNormal, sub, type Tensor, tensor } from 'ferrograd'
import { normal, values } from '../helpers/values.js'

/** Correlated data `[N, features]`, every direction with some variance. */
const correlated = (samples: number, features: number): Tensor =>
  matmul(normal([samples, features], 3), normal([features, features], 8))

async function covariance(y: Tensor): Promise<number[][]> {
  const [count, width] = y.shape as [number, number]
  const rows = (await y.array()) as number[][]
  const means = Array.from({ length: width }, (_, j) => rows.reduce((sum, row) => sum + row[j]!, 0) / count)
  return means.map((a, i) =>
    means.map((b, j) => rows.reduce((sum, row) => sum + (row[i]! - a) * (row[j]! - b), 0) / count),
  )
}

function isIdentity(t: ExecutionContext, matrix: number[][], tolerance: number): void {
  const worst = Math.max(...matrix.flatMap((row, i) => row.map((v, j) => Math.abs(v - Number(i === j)))))
  t.true(worst <= tolerance, `off by ${worst}`)
}

test('whitened data have the identity as covariance', async (t) => {
  const x = correlated(300, 20)
  const whiten = await preprocessing.whiten({ epsilon: 0 }).fit(x)
  isIdentity(t, await covariance(whiten.transform(x)), 1e-9)
  const zca = await preprocessing.zca({ epsilon: 0 }).fit(x)
  isIdentity(t, await covariance(zca.transform(x)), 1e-9)
})

test('components are at right angles and of length 1, with fewer samples than features too', async (t) => {
  for (const [samples, features] of [
    [200, 130],
    [40, 130],
    [130, 130],
  ] as const) {
    const { components } = await preprocessing.pca().fit(correlated(samples, features))
    t.is(components.shape[0], Math.min(samples - 1, features))
    const product = (await matmul(components, components, { transposeB: true }).array()) as number[][]
    isIdentity(t, product, 1e-12)
    for (const row of (await components.array()) as number[][]) {
      const largest = row.reduce((most, v) => (Math.abs(v) > Math.abs(most) ? v : most), 0)
      t.true(largest > 0)
    }
  }
})

test('ZCA is symmetric, and changes images least of all ways to whiten', async (t) => {
  const x = correlated(300, 12)
  const zca = await preprocessing.zca({ epsilon: 0 }).fit(x)
  const whiten = await preprocessing.whiten({ epsilon: 0 }).fit(x)
  const { mean } = zca
  const identity = tensor(
    Array.from({ length: 12 }, (_, i) => Array.from({ length: 12 }, (_, j) => Number(i === j))),
    { dtype: 'float64' },
  )
  const matrixOf = (of: typeof zca | typeof whiten): Tensor =>
    sub(of.transform(identity), of.transform(tensor(new Float64Array(12), { shape: [1, 12] })))
  const w = (await matrixOf(zca).array()) as number[][]
  for (const [i, row] of w.entries()) for (const [j, v] of row.entries()) t.true(Math.abs(v - w[j]![i]!) < 1e-10)
  const distance = async (y: Tensor): Promise<number> => {
    const d = await values(sub(y, sub(x, mean)))
    return d.reduce((sum, v) => sum + v * v, 0)
  }
  t.true((await distance(zca.transform(x))) < (await distance(whiten.transform(x))))
})

test('the digits: 61 of 64 pixels vary, and 99 % of the variance is in 41 components', async (t) => {
  const { images } = datasets.digits().train
  const all = await preprocessing.pca().fit(images)
  t.is(all.components.shape[0], 61)
  const most = await preprocessing.pca({ components: 0.99 }).fit(images)
  const ratios = await values(most.explainedVarianceRatio)
  const explained = ratios.reduce((sum, v) => sum + v, 0)
  t.is(ratios.length, 41)
  t.true(explained >= 0.99 && explained - ratios.at(-1)! < 0.99)
  const zca = await preprocessing.zca({ epsilon: 1e-2 }).fit(images)
  const restored = await values(zca.inverse(zca.transform(images)))
  const pixels = await values(images)
  t.true(pixels.every((v, i) => Math.abs(v - restored[i]!) < 1e-5))
})

test('dtypes mix: statistics follow the data that are transformed', async (t) => {
  const x = correlated(50, 6)
  const whiten = await preprocessing.whiten().fit(x)
  const single = whiten.transform(tensor(new Float32Array(12), { shape: [2, 6] }))
  t.is(single.dtype, 'float32')
  const double = whiten.transform(tensor(new Float64Array(12), { shape: [2, 6] }))
  const [a, b] = [await values(single), await values(double)]
  t.true(a.every((v, i) => Math.abs(v - b[i]!) < 1e-4 * Math.max(1, Math.abs(v))))
  t.is(whiten.transform(tensor(new Uint8Array(12), { shape: [2, 6] })).dtype, 'float32')
})

test('many samples are transformed in batches, each as it would be alone', async (t) => {
  const x = randomNormal([1100, 64, 64, 1], { seed: 1 })
  const center = await preprocessing.zeroCenter().fit(x)
  const [y, mean, pixels] = await Promise.all([center.transform(x).data(), center.mean.data(), x.data()])
  t.is(
    y.findIndex((v, i) => v !== Math.fround(pixels[i]! - mean[i % 4096]!)),
    -1,
  )
})
