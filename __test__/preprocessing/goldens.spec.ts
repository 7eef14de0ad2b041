// Every transformation against NumPy's float64 numbers.
import test, { type ExecutionContext } from 'ava'
import { type DType, memory, type Preprocessing, preprocessing, type Tensor, tensor } from 'ferrograd'
import { float64From, readFixture, tolerance, worstDifference } from '../helpers/golden.js'

interface Encoded {
  shape: number[]
  f64: string
}

type Key = 'train' | 'test' | 'inverse' | 'zca' | 'whiten' | 'pca' | 'components' | 'explainedVariance'
type Statistic = 'pixelMean' | 'channelMean' | 'pixelStdDev' | 'channelStdDev' | 'explainedVarianceRatio'

type Case = { name: string; rank: number } & Record<Key | Statistic, Encoded>

const { cases, epsilon } = readFixture<{ cases: Case[]; epsilon: { whiten: number; zca: number } }>('preprocessing')

type Precision = 'float32' | 'float64'

const load = ({ shape, f64 }: Encoded, dtype: DType): Tensor => tensor(float64From(f64), { shape, dtype })

async function close(
  t: ExecutionContext,
  what: string,
  x: Tensor,
  golden: Encoded,
  precision: Precision,
): Promise<void> {
  t.deepEqual([...x.shape], golden.shape, what)
  t.is(x.dtype, precision, what)
  const worst = worstDifference(await x.data(), float64From(golden.f64))
  t.true(worst <= tolerance[precision], `${what} is off by ${worst} of its root mean square`)
}

/** Checks a transformation and the way back: the original where that is possible. */
async function transforms(
  t: ExecutionContext,
  fitted: Preprocessing,
  golden: Case,
  key: { forward: Encoded; back: Encoded },
  precision: Precision,
): Promise<void> {
  const y = fitted.transform(load(golden.test, precision))
  await close(t, `${precision} ${fitted.kind}`, y, key.forward, precision)
  await close(t, `${precision} inverse of ${fitted.kind}`, fitted.inverse(y), key.back, precision)
}

const scaled = ({ shape, f64 }: Encoded, of: (value: number, feature: number) => number, width: number): Encoded => ({
  shape,
  f64: Buffer.from(float64From(f64).map((value, i) => of(value, i % width)).buffer).toString('base64'),
})

for (const golden of cases) {
  for (const precision of ['float32', 'float64'] as const) {
    const train = () => load(golden.train, precision)

    test(`${golden.name}, ${precision}: mean and standard deviation, per pixel and per channel`, async (t) => {
      for (const per of ['pixel', 'channel'] as const) {
        const [mean, deviation] = [golden[`${per}Mean`], golden[`${per}StdDev`]]
        const [means, deviations] = [float64From(mean.f64), float64From(deviation.f64)]
        const center = await preprocessing.zeroCenter({ per }).fit(train())
        const scale = await preprocessing.standardize({ per }).fit(train())
        await close(t, `${per} mean`, center.mean, mean, precision)
        await close(t, `${per} mean`, scale.mean, mean, precision)
        await close(t, `${per} standard deviation`, scale.stdDev, deviation, precision)
        const centred = scaled(golden.test, (value, i) => value - means[i]!, means.length)
        const divided = scaled(centred, (value, i) => value / deviations[i]!, means.length)
        await transforms(t, center, golden, { forward: centred, back: golden.test }, precision)
        await transforms(t, scale, golden, { forward: divided, back: golden.test }, precision)
      }
    })

    test(`${golden.name}, ${precision}: principal components`, async (t) => {
      const pca = await preprocessing.pca().fit(train())
      t.is(pca.components.shape[0], golden.rank)
      await close(t, 'mean', pca.mean, golden.pixelMean, precision)
      await close(t, 'components', pca.components, golden.components, precision)
      await close(t, 'variance', pca.explainedVariance, golden.explainedVariance, precision)
      await close(t, 'ratio', pca.explainedVarianceRatio, golden.explainedVarianceRatio, precision)
      const samples = golden.train.shape[0]!
      const singular = scaled(golden.explainedVariance, (v) => Math.sqrt(v * samples), 1)
      await close(t, 'singular values', pca.singularValues, singular, precision)
      await transforms(t, pca, golden, { forward: golden.pca, back: golden.inverse }, precision)
    })

    test(`${golden.name}, ${precision}: whitened, and whitened the ZCA way`, async (t) => {
      const whiten = await preprocessing.whiten({ epsilon: epsilon.whiten }).fit(train())
      await transforms(t, whiten, golden, { forward: golden.whiten, back: golden.inverse }, precision)
      const zca = await preprocessing.zca({ epsilon: epsilon.zca }).fit(train())
      await transforms(t, zca, golden, { forward: golden.zca, back: golden.test }, precision)
    })
  }
}

test('pixels as uint8 have the statistics of the same numbers as floats, and become float32', async (t) => {
  const golden = cases.find(({ name }) => name === 'pixels')!
  const train = load(golden.train, 'uint8')
  const pixels = load(golden.test, 'uint8')
  t.is(pixels.dtype, 'uint8')
  const steps = { forward: golden.zca, back: golden.test }
  const zca = await preprocessing.zca({ epsilon: epsilon.zca }).fit(train)
  const y = zca.transform(pixels)
  await close(t, 'zca', y, steps.forward, 'float32')
  await close(t, 'its inverse', zca.inverse(y), steps.back, 'float32')
  const pca = await preprocessing.pca().fit(train)
  await close(t, 'components', pca.components, golden.components, 'float32')
  const scale = await preprocessing.standardize({ per: 'channel' }).fit(train)
  await close(t, 'deviation', scale.stdDev, golden.channelStdDev, 'float32')
})

// Before the others, which make tensors meanwhile.
test.serial('the fixture holds what it should, and nothing of it stays', async (t) => {
  t.is(cases.length, 8)
  const before = memory().tensors
  const train = load(cases[0]!.train, 'float32')
  const all = [preprocessing.zeroCenter(), preprocessing.standardize(), preprocessing.pca(), preprocessing.zca()]
  for (const one of all) {
    await one.fit(train)
    one.transform(train).dispose()
    one.dispose()
    t.false(one.fitted)
  }
  train.dispose()
  t.is(memory().tensors, before)
})
