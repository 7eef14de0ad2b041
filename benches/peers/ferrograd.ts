// ferrograd, through its public interface only.

import { createRequire } from 'node:module'
import {
  add,
  backward,
  batchNorm,
  conv2d,
  gradients,
  layers,
  losses,
  matmul,
  maxPool2d,
  mul,
  noGrad,
  type Optimizer,
  optimizers,
  relu,
  type Sequential,
  scope,
  sequential,
  setThreads,
  sum,
  type Tensor,
  tensor,
} from 'ferrograd'
import { fill, type JobName, labels, type StartPeer, type Task, versionOf } from './peer.js'

const require = createRequire(import.meta.url)

export const startFerrograd: StartPeer = async ({ threads }) => {
  setThreads(threads)
  return {
    name: 'ferrograd',
    version: versionOf(require, 'ferrograd'),
    threads,
    prepare: async (job) => makeTask(job),
  }
}

const random = (...shape: number[]): Tensor =>
  tensor(
    fill(
      shape.reduce((a, b) => a * b, 1),
      shape.length,
    ),
    { shape },
  )

/** An op a few times in a row and one wait at the end, as inside a training step: the wait alone is no op's cost. */
function repeated(compute: () => unknown, per: number): Task {
  const one = random(1)
  return {
    per,
    run: async () => {
      const last = scope(() => {
        for (let i = 0; i < per; i++) scope(() => void compute())
        return add(one, one)
      })
      // Work runs in order: when this number is there, everything before it is done.
      await last.item()
      last.dispose()
    },
  }
}

/** The op and all its gradients. The product with dy and its sum, which the others do without, are inside the time. */
function withGradients(compute: () => Tensor, xs: Tensor[], dy: Tensor, per: number): Task {
  return repeated(() => gradients(() => sum(mul(compute(), dy)), xs), per)
}

/** The job on ferrograd, on whatever number of threads is set. */
export function makeTask(job: JobName): Task {
  switch (job) {
    case 'matmul-256':
    case 'matmul-512':
    case 'matmul-1024': {
      const size = Number(job.slice('matmul-'.length))
      const [a, b] = [random(size, size), random(size, size)]
      return repeated(() => matmul(a, b), 8)
    }
    case 'conv2d':
    case 'conv2d-backward': {
      const [x, weight, bias] = [random(64, 32, 32, 32), random(3, 3, 32, 32), random(32)]
      const forward = () => conv2d(x, weight, { bias, padding: 'same' })
      if (job === 'conv2d') return repeated(forward, 4)
      return withGradients(forward, [x, weight, bias], random(64, 32, 32, 32), 2)
    }
    case 'relu': {
      const x = random(64, 32, 32, 64)
      return repeated(() => relu(x), 8)
    }
    case 'batch-norm':
    case 'batch-norm-backward': {
      const [x, gamma, beta] = [random(64, 32, 32, 64), random(64), random(64)]
      const forward = () => batchNorm(x, { gamma, beta, epsilon: 1e-5 })
      if (job === 'batch-norm') return repeated(forward, 8)
      return withGradients(forward, [x, gamma, beta], random(64, 32, 32, 64), 4)
    }
    case 'max-pool2d':
    case 'max-pool2d-backward': {
      const x = random(64, 32, 32, 64)
      const forward = () => maxPool2d(x, { size: 2 })
      if (job === 'max-pool2d') return repeated(forward, 8)
      return withGradients(forward, [x], random(64, 16, 16, 64), 4)
    }
    case 'tiny-op': {
      const [a, b] = [random(16), random(16)]
      return repeated(() => add(a, b), 1000)
    }
    case 'mlp-step':
      return training(mlp(), optimizers.sgd({ learningRate: 0.01 }), random(64, 784))
    case 'cnn-step-sgd':
      return training(mnistCnn(), optimizers.sgd({ learningRate: 0.01 }), random(64, 28, 28, 1))
    case 'cnn-step-adam':
      return training(mnistCnn(), optimizers.adam({ learningRate: 0.001 }), random(64, 28, 28, 1))
    case 'vgg-step':
      return training(vggSmall(), optimizers.sgd({ learningRate: 0.01 }), random(64, 32, 32, 3))
    case 'cnn-inference': {
      const model = mnistCnn()
      const x = random(64, 28, 28, 1)
      return {
        run: async () => {
          const y = scope(() => noGrad(() => model.forward(x)))
          await y.data()
          y.dispose()
        },
      }
    }
    case 'start-up':
      return { cannot: 'measured apart' }
  }
}

export function mlp(): Sequential {
  return sequential({
    inputShape: [784],
    layers: [layers.dense({ units: 256, activation: 'relu' }), layers.dense({ units: 10 })],
  })
}

export function mnistCnn(): Sequential {
  const conv = (filters: number) => layers.conv2d({ filters, kernelSize: 3, padding: 'same', activation: 'relu' })
  return sequential({
    inputShape: [28, 28, 1],
    layers: [
      conv(32),
      layers.maxPool2d({ poolSize: 2 }),
      conv(64),
      layers.maxPool2d({ poolSize: 2 }),
      layers.flatten(),
      layers.dense({ units: 128, activation: 'relu' }),
      layers.dense({ units: 10 }),
    ],
  })
}

export function vggSmall(): Sequential {
  const block = (filters: number) => [
    layers.conv2d({ filters, kernelSize: 3, padding: 'same', activation: 'relu' }),
    layers.conv2d({ filters, kernelSize: 3, padding: 'same', activation: 'relu' }),
    layers.maxPool2d({ poolSize: 2 }),
  ]
  return sequential({
    inputShape: [32, 32, 3],
    layers: [...block(64), ...block(128), ...block(256), layers.flatten(), layers.dense({ units: 10 })],
  })
}

/** One step and its loss, read: as often as the others hand it over. */
export function training(model: Sequential, optimizer: Optimizer, xs: Tensor): { run: () => Promise<number> } {
  const ys = tensor(labels(64))
  return {
    run: async () => {
      const loss = scope(() => {
        const loss = losses.softmaxCrossEntropy(model.forward(xs, { training: true }), ys)
        optimizer.step(backward(loss))
        return loss
      })
      const value = await loss.item()
      loss.dispose()
      return value
    },
  }
}
