// Trainings that are cut off.

import { datasets, layers, type Model, metrics, type Optimizer, sequential, setSeed } from 'ferrograd'

export const digits = datasets.digits().train
export const [x, y] = [digits.images, digits.labels]
export const inputShape = x.shape.slice(1)
/** 1,437 samples: 6 batches, the last one smaller. */
export const options = { epochs: 3, verbose: 0, batchSize: 256 } as const

export function network(optimizer: Optimizer, seed = 3): Model {
  setSeed(seed)
  const net = sequential({
    inputShape,
    layers: [
      layers.conv2d({ filters: 3, kernelSize: 3, strides: 2, activation: 'relu' }),
      layers.batchNorm(),
      layers.flatten(),
      layers.dropout({ rate: 0.3 }),
      layers.dropout({ rate: 0.1, seed: 4 }),
      layers.dense({ units: 10, kernelRegularizer: 'l2', kernelConstraint: 'maxNorm' }),
    ],
  })
  net.compile({ optimizer, loss: 'softmaxCrossEntropy', metrics: ['accuracy', metrics.topKAccuracy({ k: 2 })] })
  return net
}

export async function bits(net: Model): Promise<string> {
  const all = await Promise.all(net.weights.map((weight) => weight.data()))
  return Buffer.concat(all.map(({ buffer }) => Buffer.from(buffer))).toString('base64')
}

/** Trains until `batches` batches are done. */
export async function cutOff(net: Model, batches: number, own: object = {}): Promise<void> {
  const controller = new AbortController()
  let left = batches
  const stop = { onBatchEnd: () => --left === 0 && controller.abort() }
  await net.fit(x, y, { ...options, ...own, callbacks: [...callbacksOf(own), stop], signal: controller.signal })
}

const callbacksOf = (own: { callbacks?: object[] }) => own.callbacks ?? []
