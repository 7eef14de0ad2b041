// ConvNetJS: plain JavaScript, one example at a time.

import { createRequire } from 'node:module'
import { fill, type JobName, labels, type StartPeer, type Task, versionOf } from './peer.js'

interface Vol {
  w: Float64Array
}
interface Net {
  makeLayers(definitions: Record<string, unknown>[]): void
  forward(x: Vol, training?: boolean): Vol
}
interface Layer {
  forward(x: Vol, training?: boolean): Vol
}
interface ConvNet {
  Vol: new (width: number, height: number, depth: number, value?: number) => Vol
  Net: new () => Net
  SGDTrainer: new (net: Net, options: Record<string, unknown>) => { train(x: Vol, y: number): unknown }
  PoolLayer: new (options: Record<string, unknown>) => Layer
  ReluLayer: new (options: Record<string, unknown>) => Layer
  ConvLayer: new (options: Record<string, unknown>) => Layer
}

const require = createRequire(import.meta.url)

export const startConvnetjs: StartPeer = async () => {
  const convnet = require('convnetjs') as ConvNet
  return {
    name: 'convnetjs',
    version: versionOf(require, 'convnetjs'),
    threads: 1,
    prepare: async (job: JobName) => makeTask(convnet, job),
  }
}

function makeTask(convnet: ConvNet, job: JobName): Task {
  const volumes = (width: number, height: number, depth: number): Vol[] =>
    Array.from({ length: 64 }, (_, i) => {
      const volume = new convnet.Vol(width, height, depth, 0)
      volume.w.set(fill(width * height * depth, i + 1))
      return volume
    })
  const each = (layer: Layer, xs: Vol[]): Task => ({
    run: () => {
      for (const x of xs) layer.forward(x)
    },
  })
  const image = { in_sx: 32, in_sy: 32 }
  switch (job) {
    case 'conv2d':
      return each(
        new convnet.ConvLayer({ ...image, in_depth: 32, sx: 3, filters: 32, stride: 1, pad: 1 }),
        volumes(32, 32, 32),
      )
    case 'relu':
      return each(new convnet.ReluLayer({ ...image, in_depth: 64 }), volumes(32, 32, 64))
    case 'max-pool2d':
      return each(new convnet.PoolLayer({ ...image, in_depth: 64, sx: 2, stride: 2 }), volumes(32, 32, 64))
    case 'mlp-step':
    case 'cnn-step-sgd':
    case 'cnn-inference':
      return network(convnet, job, volumes)
    case 'cnn-step-adam':
      return { cannot: 'has no Adam in the published version' }
    case 'vgg-step':
      return { cannot: 'would take minutes a step' }
    case 'matmul-256':
    case 'matmul-512':
    case 'matmul-1024':
      return { cannot: 'has no matrix product' }
    case 'batch-norm':
    case 'batch-norm-backward':
      return { cannot: 'has no batch normalisation' }
    case 'conv2d-backward':
    case 'max-pool2d-backward':
      return { cannot: 'its layers add up gradients in place: only whole training steps compare' }
    default:
      return { cannot: 'has no op of its own to call' }
  }
}

function network(convnet: ConvNet, job: JobName, volumes: (w: number, h: number, d: number) => Vol[]): Task {
  const mlp = job === 'mlp-step'
  const conv = (filters: number) => ({ type: 'conv', sx: 3, filters, stride: 1, pad: 1, activation: 'relu' })
  const pool = { type: 'pool', sx: 2, stride: 2 }
  const dense = (units: number) => ({ type: 'fc', num_neurons: units, activation: 'relu' })
  const net = new convnet.Net()
  net.makeLayers([
    { type: 'input', out_sx: mlp ? 1 : 28, out_sy: mlp ? 1 : 28, out_depth: mlp ? 784 : 1 },
    ...(mlp ? [dense(256)] : [conv(32), pool, conv(64), pool, dense(128)]),
    { type: 'softmax', num_classes: 10 },
  ])
  const xs = mlp ? volumes(1, 1, 784) : volumes(28, 28, 1)
  if (job === 'cnn-inference') return { run: () => xs.map((x) => net.forward(x)) }
  const trainer = new convnet.SGDTrainer(net, { method: 'sgd', learning_rate: 0.01, batch_size: 64, momentum: 0 })
  const ys = labels(64)
  return { run: () => xs.map((x, i) => trainer.train(x, ys[i]!)) }
}
