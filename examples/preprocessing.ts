// Prepares images step by step as the course's notes do: zero-centred, standardised, decorrelated, whitened, ZCA.
import { datasets, matmul, mean, preprocessing, reshape, scope, sub, type Tensor } from 'ferrograd'

const { images } = datasets.digits().train
const [samples, height, width] = images.shape as [number, number, number]

/** The means of the features, and their covariance. */
async function moments(x: Tensor): Promise<{ means: number[]; covariance: number[][] }> {
  const tensors = scope(() => {
    const rows = reshape(x, [samples, -1])
    const means = mean(rows, { axis: 0 })
    const centred = sub(rows, means)
    return [means, matmul(centred, centred, { transposeA: true })] as const
  })
  const means = (await tensors[0].array()) as number[]
  const products = (await tensors[1].array()) as number[][]
  return { means, covariance: products.map((row) => row.map((value) => value / samples)) }
}

async function report(name: string, x: Tensor): Promise<void> {
  const { means, covariance } = await moments(x)
  const deviations = covariance.map((row, i) => Math.sqrt(row[i]!))
  const apart = covariance.flatMap((row, i) => row.slice(0, i).map(Math.abs))
  const figures = [
    Math.max(...means.map(Math.abs)),
    Math.min(...deviations),
    Math.max(...deviations),
    Math.max(...apart),
  ]
  console.log(
    name.padEnd(14),
    String(means.length).padStart(8),
    ...figures.map((value) => value.toFixed(4).padStart(12)),
  )
}

const heads = ['largest mean', 'least std', 'largest std', 'largest cov']
console.log(`${samples} digits of ${height} × ${width} pixels`)
console.log(''.padEnd(14), 'features', ...heads.map((head) => head.padStart(12)))
await report('as they are', images)

const steps = {
  'zero-centred': preprocessing.zeroCenter({ per: 'pixel' }),
  standardised: preprocessing.standardize({ per: 'pixel' }),
  decorrelated: preprocessing.pca(),
  whitened: preprocessing.whiten({ epsilon: 1e-5 }),
  ZCA: preprocessing.zca({ epsilon: 1e-5 }),
}
for (const [name, step] of Object.entries(steps)) {
  await step.fit(images)
  await report(name, step.transform(images))
}

const most = await preprocessing.pca({ components: 0.99 }).fit(images)
console.log(`${most.components.shape[0]} of ${height * width} components keep 99 % of the variance`)
