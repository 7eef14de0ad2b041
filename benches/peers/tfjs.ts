// TensorFlow.js on its own CPU backend and on its WebAssembly one.

import { createRequire } from 'node:module'
import { dirname, sep } from 'node:path'
import type * as Core from '@tensorflow/tfjs-core'
import type * as Layers from '@tensorflow/tfjs-layers'
import { fill, type JobName, labels, type Peer, type StartPeer, type Task, versionOf } from './peer.js'

const require = createRequire(import.meta.url)

/** Jobs that take the CPU backend many seconds, and how many. */
const slowOnCpu: Partial<Record<JobName, string>> = {
  'conv2d-backward': '7 s',
  'cnn-step-sgd': '40 s',
  'cnn-step-adam': '40 s',
}
const hopelessOnCpu: Partial<Record<JobName, string>> = { 'vgg-step': 'would take about 20 minutes a step' }

const noFilterGradient = 'its WebAssembly backend has no gradient of a convolution with respect to the weight'
const noPoolGradient = 'its WebAssembly backend has no gradient of max pooling'
const impossibleOnWasm: Partial<Record<JobName, string>> = {
  'conv2d-backward': noFilterGradient,
  'cnn-step-sgd': noFilterGradient,
  'cnn-step-adam': noFilterGradient,
  'vgg-step': noFilterGradient,
  'max-pool2d-backward': noPoolGradient,
}

const startWith =
  (backend: 'cpu' | 'wasm'): StartPeer =>
  async ({ full }) => {
    const tf = require('@tensorflow/tfjs-core') as typeof Core
    require(`@tensorflow/tfjs-backend-${backend}`)
    if (backend === 'wasm') {
      const wasm = require('@tensorflow/tfjs-backend-wasm') as { setWasmPaths(folder: string): void }
      wasm.setWasmPaths(dirname(require.resolve('@tensorflow/tfjs-backend-wasm')) + sep)
    }
    require('@tensorflow/tfjs-layers') // registers the gradients, too
    tf.enableProdMode() // neither checks of every op nor a greeting on the console
    const kept = new Map<JobName, Core.Tensor[]>()
    const peer: Peer = {
      name: `tfjs ${backend}`,
      version: versionOf(require, '@tensorflow/tfjs-core'),
      threads: 1,
      async prepare(job) {
        if (backend === 'wasm' && impossibleOnWasm[job]) return { cannot: impossibleOnWasm[job] }
        if (backend === 'cpu' && hopelessOnCpu[job]) return { cannot: hopelessOnCpu[job] }
        const slow = backend === 'cpu' && !full ? slowOnCpu[job] : undefined
        if (slow !== undefined) return { cannot: `takes about ${slow}: measured with --full` }
        // Both backends live in one process; the harness selects the one that runs.
        await tf.setBackend(backend)
        const tensors: Core.Tensor[] = []
        kept.set(job, tensors)
        const task = makeTask(tf, job, tensors)
        return 'run' in task ? { ...task, select: () => tf.setBackend(backend) } : task
      },
      release(job) {
        for (const tensor of kept.get(job) ?? []) tensor.dispose()
        kept.delete(job)
      },
    }
    return peer
  }

export const startTfjsCpu = startWith('cpu')
export const startTfjsWasm = startWith('wasm')

function makeTask(tf: typeof Core, job: JobName, kept: Core.Tensor[]): Task {
  const tensor = <R extends Core.Rank>(...shape: Core.ShapeMap[R]): Core.Tensor<R> => {
    const made = tf.tensor<R>(
      fill(
        (shape as number[]).reduce((a, b) => a * b, 1),
        kept.length + 1,
      ),
      shape as Core.ShapeMap[R],
    )
    kept.push(made)
    return made
  }
  /** Runs `compute` and frees what it made; both backends compute before they return. */
  const task = (compute: () => Core.TensorContainer, per = 1): Task => ({
    run: () => {
      tf.tidy(() => {
        for (let i = 0; i < per; i++) compute()
      })
    },
    per,
  })
  const withGradients = (fn: (...xs: Core.Tensor[]) => Core.Tensor, xs: Core.Tensor[], dy: Core.Tensor): Task => {
    const gradients = tf.grads(fn)
    return task(() => gradients(xs, dy))
  }

  switch (job) {
    case 'matmul-256':
    case 'matmul-512':
    case 'matmul-1024': {
      const size = Number(job.slice('matmul-'.length))
      const [a, b] = [tensor<Core.Rank.R2>(size, size), tensor<Core.Rank.R2>(size, size)]
      return task(() => tf.matMul(a, b))
    }
    case 'conv2d':
    case 'conv2d-backward': {
      const x = tensor<Core.Rank.R4>(64, 32, 32, 32)
      const weight = tensor<Core.Rank.R4>(3, 3, 32, 32)
      const bias = tensor<Core.Rank.R1>(32)
      const forward = (x: Core.Tensor, weight: Core.Tensor, bias: Core.Tensor) =>
        tf.add(tf.conv2d(x as Core.Tensor4D, weight as Core.Tensor4D, 1, 'same'), bias)
      if (job === 'conv2d') return task(() => forward(x, weight, bias))
      return withGradients(
        forward as (...xs: Core.Tensor[]) => Core.Tensor,
        [x, weight, bias],
        tensor<Core.Rank.R4>(64, 32, 32, 32),
      )
    }
    case 'relu': {
      const x = tensor<Core.Rank.R4>(64, 32, 32, 64)
      return task(() => tf.relu(x))
    }
    case 'batch-norm':
    case 'batch-norm-backward': {
      const x = tensor<Core.Rank.R4>(64, 32, 32, 64)
      const [gamma, beta] = [tensor<Core.Rank.R1>(64), tensor<Core.Rank.R1>(64)]
      const forward = (x: Core.Tensor, gamma: Core.Tensor, beta: Core.Tensor) => {
        const { mean, variance } = tf.moments(x, [0, 1, 2])
        return tf.batchNorm4d(
          x as Core.Tensor4D,
          mean as Core.Tensor1D,
          variance as Core.Tensor1D,
          beta as Core.Tensor1D,
          gamma as Core.Tensor1D,
        )
      }
      if (job === 'batch-norm') return task(() => forward(x, gamma, beta))
      return withGradients(
        forward as (...xs: Core.Tensor[]) => Core.Tensor,
        [x, gamma, beta],
        tensor<Core.Rank.R4>(64, 32, 32, 64),
      )
    }
    case 'max-pool2d':
    case 'max-pool2d-backward': {
      const x = tensor<Core.Rank.R4>(64, 32, 32, 64)
      const forward = (x: Core.Tensor) => tf.maxPool(x as Core.Tensor4D, 2, 2, 'valid')
      if (job === 'max-pool2d') return task(() => forward(x))
      return withGradients(forward, [x], tensor<Core.Rank.R4>(64, 16, 16, 64))
    }
    case 'tiny-op': {
      const [a, b] = [tensor<Core.Rank.R1>(16), tensor<Core.Rank.R1>(16)]
      return task(() => tf.add(a, b), 1000)
    }
    case 'start-up':
      return { cannot: 'measured apart' }
    default:
      return networkTask(tf, job, tensor, kept)
  }
}

function networkTask(
  tf: typeof Core,
  job: JobName,
  tensor: <R extends Core.Rank>(...shape: Core.ShapeMap[R]) => Core.Tensor<R>,
  kept: Core.Tensor[],
): Task {
  const { layers, sequential } = require('@tensorflow/tfjs-layers') as typeof Layers
  const conv = (filters: number, inputShape?: number[]) =>
    layers.conv2d({
      filters,
      kernelSize: 3,
      padding: 'same',
      activation: 'relu',
      ...(inputShape === undefined ? {} : { inputShape }),
    })
  const pool = () => layers.maxPooling2d({ poolSize: 2, strides: 2 })
  const model =
    job === 'mlp-step'
      ? sequential({
          layers: [
            layers.dense({ units: 256, activation: 'relu', inputShape: [784] }),
            layers.dense({ units: 10, activation: 'softmax' }),
          ],
        })
      : sequential({
          layers: [
            conv(32, [28, 28, 1]),
            pool(),
            conv(64),
            pool(),
            layers.flatten(),
            layers.dense({ units: 128, activation: 'relu' }),
            layers.dense({ units: 10, activation: 'softmax' }),
          ],
        })
  const x = job === 'mlp-step' ? tensor<Core.Rank.R2>(64, 784) : tensor<Core.Rank.R4>(64, 28, 28, 1)
  if (job === 'cnn-inference') {
    return {
      run: () => {
        ;(model.predict(x) as Core.Tensor).dispose()
      },
    }
  }
  const oneHot = tf.tidy(() => tf.cast(tf.oneHot(tf.tensor1d(labels(64), 'int32'), 10), 'float32'))
  kept.push(oneHot)
  model.compile({
    optimizer: job === 'cnn-step-adam' ? tf.train.adam(1e-3) : tf.train.sgd(1e-2),
    loss: 'categoricalCrossentropy',
  })
  return { run: () => model.trainOnBatch(x, oneHot) }
}
