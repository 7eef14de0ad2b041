// TensorFlow.js on its own CPU backend and on its WebAssembly one.

import { createRequire } from 'node:module'
import { dirname, sep } from 'node:path'
import type * as Core from '@tensorflow/tfjs-core'
import type * as Layers from '@tensorflow/tfjs-layers'
import type { Inference, Job, MemoryBound, Step, Work } from '../work.js'
import { fill, labels, type Peer, type StartPeer, type Task, tooSlow, versionOf } from './peer.js'

const require = createRequire(import.meta.url)

/** Operations a second, about, to tell what would take too long. */
function speedOf(backend: 'cpu' | 'wasm', { work }: Job): number {
  if (backend === 'wasm') return 2.5e10
  return work.op === 'step' && work.network !== 'mlp' ? 4e7 : 6.5e8
}

const noFilterGradient = 'its WebAssembly backend has no gradient of a convolution with respect to the weight'
const noPoolGradient = 'its WebAssembly backend has no gradient of max pooling'

function impossibleOnWasm({ work }: Job): string | undefined {
  if (work.op === 'conv2d' && work.direction === 'all') return noFilterGradient
  if (work.op === 'step' && work.network !== 'mlp') return noFilterGradient
  if (work.op === 'maxPool2d' && work.direction === 'all') return noPoolGradient
  return undefined
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
    const kept = new Map<Job, Core.Tensor[]>()
    const peer: Peer = {
      name: `tfjs ${backend}`,
      version: versionOf(require, '@tensorflow/tfjs-core'),
      threads: 1,
      async prepare(job) {
        const reason =
          (backend === 'wasm' ? impossibleOnWasm(job) : undefined) ?? tooSlow(job, speedOf(backend, job), full)
        if (reason !== undefined) return { cannot: reason }
        // Both backends live in one process; the harness selects the one that runs.
        await tf.setBackend(backend)
        const tensors: Core.Tensor[] = []
        kept.set(job, tensors)
        const task = makeTask(tf, job.work, tensors)
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

type MakeTensor = <R extends Core.Rank>(...shape: Core.ShapeMap[R]) => Core.Tensor<R>

function makeTask(tf: typeof Core, work: Work, kept: Core.Tensor[]): Task {
  const tensor: MakeTensor = <R extends Core.Rank>(...shape: Core.ShapeMap[R]): Core.Tensor<R> => {
    const count = (shape as number[]).reduce((a, b) => a * b, 1)
    const made = tf.tensor<R>(fill(count, kept.length + 1), shape as Core.ShapeMap[R])
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
  /** The op, or the op and its gradients. */
  const inDirection = (direction: string, fn: (...xs: Core.Tensor[]) => Core.Tensor, xs: Core.Tensor[]): Task => {
    if (direction === 'forward') return task(() => fn(...xs))
    if (direction !== 'all') return { cannot: 'offers no gradient apart from a forward pass' }
    const shape = tf.tidy(() => fn(...xs).shape)
    const dy = tensor(...(shape as Core.ShapeMap[Core.Rank]))
    const gradients = tf.grads(fn)
    return task(() => gradients(xs, dy))
  }

  switch (work.op) {
    case 'matmul': {
      const { size } = work
      const [a, b] = [tensor<Core.Rank.R2>(size, size), tensor<Core.Rank.R2>(size, size)]
      return task(() => tf.matMul(a, b))
    }
    case 'dense': {
      const { batch, inputs, units, direction } = work
      const xs = [tensor<Core.Rank.R2>(batch, inputs), tensor<Core.Rank.R2>(inputs, units), tensor<Core.Rank.R1>(units)]
      return inDirection(direction, (x, weight, bias) => tf.add(tf.matMul(x!, weight!), bias!), xs)
    }
    case 'conv2d': {
      const { batch, size, channels, filters, kernel, stride, direction } = work
      const x = tensor<Core.Rank.R4>(batch, size, size, channels)
      const weight = tensor<Core.Rank.R4>(kernel, kernel, channels, filters)
      const padding = (kernel - 1) / 2
      const forward = (x: Core.Tensor, weight: Core.Tensor, bias: Core.Tensor) =>
        tf.add(tf.conv2d(x as Core.Tensor4D, weight as Core.Tensor4D, stride, padding), bias)
      return inDirection(direction, forward as (...xs: Core.Tensor[]) => Core.Tensor, [
        ...[x, weight, tensor<Core.Rank.R1>(filters)],
      ])
    }
    case 'tiny': {
      const [a, b] = [tensor<Core.Rank.R1>(work.size), tensor<Core.Rank.R1>(work.size)]
      return task(() => tf.add(a, b), 1000)
    }
    case 'update':
      return { cannot: 'offers no step apart from gradients of its own' }
    case 'step':
    case 'inference':
      return networkTask(tf, work, tensor, kept)
    case 'start-up':
      return { cannot: 'measured apart' }
    default: {
      const { fn, xs } = memoryBound(tf, work, tensor)
      if (fn === undefined) return { cannot: `has no ${work.op} with gradients of its own` }
      return inDirection(work.direction, fn, xs)
    }
  }
}

type Op = (...xs: Core.Tensor[]) => Core.Tensor

function memoryBound(
  tf: typeof Core,
  { op, shape }: MemoryBound,
  tensor: MakeTensor,
): { fn: Op | undefined; xs: Core.Tensor[] } {
  const x = tensor(...(shape as Core.ShapeMap[Core.Rank]))
  const channels = shape.at(-1)!
  const other = op === 'add' || op === 'mul' ? tensor(...(shape as Core.ShapeMap[Core.Rank])) : x
  const fns: Partial<Record<MemoryBound['op'], Op>> = {
    relu: (x) => tf.relu(x!),
    sigmoid: (x) => tf.sigmoid(x!),
    tanh: (x) => tf.tanh(x!),
    add: (x) => tf.add(x!, other),
    mul: (x) => tf.mul(x!, other),
    softmax: (x) => tf.softmax(x!),
    dropout: (x) => tf.dropout(x!, 0.5),
    maxPool2d: (x) => tf.maxPool(x as Core.Tensor4D, 2, 2, 'valid'),
    batchNorm: ((x: Core.Tensor, gamma: Core.Tensor, beta: Core.Tensor) => {
      const { mean, variance } = tf.moments(x, [0, 1, 2])
      const [offset, factor] = [beta as Core.Tensor1D, gamma as Core.Tensor1D]
      return tf.batchNorm4d(x as Core.Tensor4D, mean as Core.Tensor1D, variance as Core.Tensor1D, offset, factor)
    }) as Op,
  }
  const xs = op === 'batchNorm' ? [x, tensor<Core.Rank.R1>(channels), tensor<Core.Rank.R1>(channels)] : [x]
  return { fn: fns[op], xs }
}

function networkTask(tf: typeof Core, work: Step | Inference, tensor: MakeTensor, kept: Core.Tensor[]): Task {
  const { layers, sequential } = require('@tensorflow/tfjs-layers') as typeof Layers
  if (work.network !== 'mlp' && work.network !== 'mnistCnn') return { cannot: 'would take minutes' }
  const mlp = work.network === 'mlp'
  const conv = (filters: number, inputShape?: number[]) =>
    layers.conv2d({
      filters,
      kernelSize: 3,
      padding: 'same',
      activation: 'relu',
      ...(inputShape === undefined ? {} : { inputShape }),
    })
  const pool = () => layers.maxPooling2d({ poolSize: 2, strides: 2 })
  const hidden = mlp
    ? [layers.dense({ units: 256, activation: 'relu', inputShape: work.input })]
    : [
        ...[conv(32, work.input), pool(), conv(64), pool(), layers.flatten()],
        layers.dense({ units: 128, activation: 'relu' }),
      ]
  const model = sequential({ layers: [...hidden, layers.dense({ units: work.classes, activation: 'softmax' })] })
  const x = tensor(...([work.batch, ...work.input] as Core.ShapeMap[Core.Rank]))
  if (work.op === 'inference') {
    return {
      run: () => {
        ;(model.predict(x) as Core.Tensor).dispose()
      },
    }
  }
  const indices = labels(work.batch)
  const oneHot = tf.tidy(() => tf.cast(tf.oneHot(tf.tensor1d(indices, 'int32'), work.classes), 'float32'))
  kept.push(oneHot)
  const optimizer = work.optimizer === 'adam' ? tf.train.adam(work.learningRate) : tf.train.sgd(work.learningRate)
  model.compile({ optimizer, loss: 'categoricalCrossentropy' })
  return { run: () => model.trainOnBatch(x, oneHot) }
}
