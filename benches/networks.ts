// The networks of the jobs: what goes in and out, and how much work one example is. Each peer builds them its own way.

import type { NetworkName } from './work.js'

export interface Network {
  title: string
  /** Of one example. */
  input: number[]
  classes: number
  /** Floating-point operations of convolutions and dense layers for one example, layer by layer. */
  flops: number[]
}

const conv = (size: number, channels: number, filters: number, kernel = 3): number =>
  2 * size * size * filters * channels * kernel * kernel
const dense = (inputs: number, units: number): number => 2 * inputs * units

/** Two 3 × 3 convolutions a block, two blocks a stage; a stage that changes the maps has a shortcut of 1 × 1. */
const stage = (size: number, channels: number, filters: number): number[] => [
  conv(size, channels, filters),
  ...(channels === filters ? [] : [conv(size, channels, filters, 1)]),
  ...Array.from({ length: 3 }, () => conv(size, filters, filters)),
]

export const networks: Readonly<Record<NetworkName, Network>> = {
  mlp: { title: 'MLP 784-256-10', input: [784], classes: 10, flops: [dense(784, 256), dense(256, 10)] },
  mnistCnn: {
    title: 'MNIST CNN',
    input: [28, 28, 1],
    classes: 10,
    flops: [conv(28, 1, 32), conv(14, 32, 64), dense(3136, 128), dense(128, 10)],
  },
  vggSmall: {
    title: 'CIFAR VGG, 6 convolutions',
    input: [32, 32, 3],
    classes: 10,
    flops: [
      ...[conv(32, 3, 64), conv(32, 64, 64), conv(16, 64, 128), conv(16, 128, 128), conv(8, 128, 256)],
      ...[conv(8, 256, 256), dense(4096, 10)],
    ],
  },
  resNet18: {
    title: 'ResNet-18 for 32×32',
    input: [32, 32, 3],
    classes: 10,
    flops: [
      ...[conv(32, 3, 64), ...stage(32, 64, 64), ...stage(16, 64, 128), ...stage(8, 128, 256), ...stage(4, 256, 512)],
      dense(512, 10),
    ],
  },
  vgg16: {
    title: 'VGG-16 at 224×224',
    input: [224, 224, 3],
    classes: 1000,
    flops: [
      ...[conv(224, 3, 64), conv(224, 64, 64), conv(112, 64, 128), conv(112, 128, 128)],
      ...[conv(56, 128, 256), conv(56, 256, 256), conv(56, 256, 256)],
      ...[conv(28, 256, 512), conv(28, 512, 512), conv(28, 512, 512)],
      ...[conv(14, 512, 512), conv(14, 512, 512), conv(14, 512, 512)],
      ...[dense(25088, 4096), dense(4096, 4096), dense(4096, 1000)],
    ],
  },
}

export function forwardFlops(name: NetworkName, batch: number): number {
  return batch * networks[name].flops.reduce((a, b) => a + b, 0)
}

/** Forward and both gradients of every layer, but for the gradient of the images, which nobody computes. */
export function stepFlops(name: NetworkName, batch: number): number {
  return 3 * forwardFlops(name, batch) - batch * networks[name].flops[0]!
}
