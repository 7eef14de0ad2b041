// ConvNetJS: plain JavaScript, one example at a time.

import { createRequire } from 'node:module'
import type { Inference, Job, Step } from '../work.js'
import { fill, labels, type StartPeer, type Task, tooSlow, versionOf } from './peer.js'

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

export const startConvnetjs: StartPeer = async ({ full }) => {
  const convnet = require('convnetjs') as ConvNet
  return {
    name: 'convnetjs',
    version: versionOf(require, 'convnetjs'),
    threads: 1,
    prepare: async (job) => makeTask(convnet, job, full),
  }
}

/** Operations a second, about, to tell what would take too long. */
const speed = 5.5e8

function makeTask(convnet: ConvNet, job: Job, full: boolean): Task {
  const { work } = job
  const slow = tooSlow(job, speed, full)
  if (slow !== undefined) return { cannot: slow }
  const volumes = (count: number, width: number, height: number, depth: number): Vol[] =>
    Array.from({ length: count }, (_, i) => {
      const volume = new convnet.Vol(width, height, depth, 0)
      volume.w.set(fill(width * height * depth, i + 1))
      return volume
    })
  const each = (layer: Layer, xs: Vol[]): Task => ({
    run: () => {
      for (const x of xs) layer.forward(x)
    },
  })
  switch (work.op) {
    case 'conv2d': {
      if (work.direction !== 'forward') return { cannot: inPlace }
      const { batch, size, channels, filters, kernel, stride } = work
      const window = {
        in_sx: size,
        in_sy: size,
        in_depth: channels,
        sx: kernel,
        filters,
        stride,
        pad: (kernel - 1) / 2,
      }
      return each(new convnet.ConvLayer(window), volumes(batch, size, size, channels))
    }
    case 'relu':
    case 'maxPool2d': {
      if (work.direction !== 'forward') return { cannot: inPlace }
      const [batch, height, width, channels] = work.shape as [number, number, number, number]
      const image = { in_sx: width, in_sy: height, in_depth: channels }
      const layer =
        work.op === 'relu' ? new convnet.ReluLayer(image) : new convnet.PoolLayer({ ...image, sx: 2, stride: 2 })
      return each(layer, volumes(batch, width, height, channels))
    }
    case 'step':
    case 'inference':
      return network(convnet, work, volumes)
    default:
      return { cannot: 'has no op of its own to call' }
  }
}

const inPlace = 'its layers add up gradients in place: only whole training steps compare'

function network(
  convnet: ConvNet,
  work: Step | Inference,
  volumes: (count: number, w: number, h: number, d: number) => Vol[],
): Task {
  if (work.network !== 'mlp' && work.network !== 'mnistCnn') return { cannot: 'would take minutes' }
  if (work.op === 'step' && work.optimizer === 'adam') return { cannot: 'has no Adam in the published version' }
  const mlp = work.network === 'mlp'
  const [height, width, depth] = mlp ? [1, 1, work.input[0]!] : (work.input as [number, number, number])
  const conv = (filters: number) => ({ type: 'conv', sx: 3, filters, stride: 1, pad: 1, activation: 'relu' })
  const pool = { type: 'pool', sx: 2, stride: 2 }
  const dense = (units: number) => ({ type: 'fc', num_neurons: units, activation: 'relu' })
  const net = new convnet.Net()
  net.makeLayers([
    { type: 'input', out_sx: width, out_sy: height, out_depth: depth },
    ...(mlp ? [dense(256)] : [conv(32), pool, conv(64), pool, dense(128)]),
    { type: 'softmax', num_classes: work.classes },
  ])
  const xs = volumes(work.batch, width, height, depth)
  if (work.op === 'inference') return { run: () => xs.map((x) => net.forward(x)) }
  const sgd = { method: 'sgd', learning_rate: work.learningRate, batch_size: work.batch, momentum: 0 }
  const trainer = new convnet.SGDTrainer(net, sgd)
  const ys = labels(work.batch)
  return { run: () => xs.map((x, i) => trainer.train(x, ys[i]!)) }
}
