// The networks and their training steps on ferrograd.

import {
  backward,
  layers,
  losses,
  type Model,
  models,
  noGrad,
  type Optimizer,
  optimizers,
  type Sequential,
  scope,
  sequential,
  type Tensor,
  tensor,
} from 'ferrograd'
import { networks } from '../networks.js'
import type { NetworkName, OptimizerName } from '../work.js'
import { labels } from './peer.js'

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

export function makeNetwork(name: NetworkName): Sequential | Model {
  const { input: inputShape, classes } = networks[name]
  switch (name) {
    case 'mlp':
      return mlp()
    case 'mnistCnn':
      return mnistCnn()
    case 'vggSmall':
      return vggSmall()
    case 'resNet18':
      return models.resNet18({ inputShape, classes, smallImages: true })
    case 'vgg16':
      return models.vgg16({ inputShape, classes })
  }
}

export function makeOptimizer(name: OptimizerName, learningRate: number): Optimizer {
  if (name === 'adam') return optimizers.adam({ learningRate })
  return optimizers.sgd({ learningRate, momentum: name === 'momentum' ? 0.9 : 0 })
}

/** One step and its loss, read: as often as the others hand it over. */
export function training(
  model: Sequential | Model,
  optimizer: Optimizer,
  xs: Tensor,
): { run: () => Promise<number>; dispose: () => void } {
  const ys = tensor(labels(xs.shape[0]!))
  return {
    run: async () => {
      const loss = scope(() => {
        const loss = losses.softmaxCrossEntropy(model.forward(xs, { training: true }) as Tensor, ys)
        optimizer.step(backward(loss))
        return loss
      })
      const value = await loss.item()
      loss.dispose()
      return value
    },
    dispose: () => {
      for (const owner of [model, optimizer, ys]) owner.dispose()
    },
  }
}

/** The result of one batch, read. */
export function inference(model: Sequential | Model, xs: Tensor): { run: () => Promise<void>; dispose: () => void } {
  return {
    run: async () => {
      const y = scope(() => noGrad(() => model.forward(xs) as Tensor))
      await y.data()
      y.dispose()
    },
    dispose: () => model.dispose(),
  }
}
