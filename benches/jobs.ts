// The jobs: what is computed, and how much work that is.

import type { JobName } from './peers/peer.js'

export interface Job {
  name: JobName
  /** One line for the table. */
  title: string
  /** Floating-point operations of one run, a multiplication and an addition counting as two; for GFLOP/s. */
  flops?: number
  /** Bytes read and written at least once, for GB/s. */
  bytes?: number
}

const conv = (batch: number, size: number, channels: number, filters: number): number =>
  2 * batch * size * size * filters * channels * 9
const dense = (batch: number, inputs: number, units: number): number => 2 * batch * inputs * units

const cnnForward = conv(64, 28, 1, 32) + conv(64, 14, 32, 64) + dense(64, 3136, 128) + dense(64, 128, 10)
// The gradient of the images themselves is never computed.
const cnnStep = 3 * cnnForward - conv(64, 28, 1, 32)
const vggForward =
  conv(64, 32, 3, 64) +
  conv(64, 32, 64, 64) +
  conv(64, 16, 64, 128) +
  conv(64, 16, 128, 128) +
  conv(64, 8, 128, 256) +
  conv(64, 8, 256, 256) +
  dense(64, 4096, 10)
/** One [64, 32, 32, 64] float32 tensor. */
const plane = 64 * 32 * 32 * 64 * 4

export const jobs: readonly Job[] = [
  { name: 'matmul-256', title: 'matmul 256×256×256', flops: 2 * 256 ** 3 },
  { name: 'matmul-512', title: 'matmul 512×512×512', flops: 2 * 512 ** 3 },
  { name: 'matmul-1024', title: 'matmul 1024×1024×1024', flops: 2 * 1024 ** 3 },
  { name: 'conv2d', title: 'conv2d 3×3 [64,32,32,32] → 32, bias', flops: conv(64, 32, 32, 32) },
  { name: 'conv2d-backward', title: 'conv2d 3×3, forward and all gradients', flops: 3 * conv(64, 32, 32, 32) },
  { name: 'relu', title: 'relu [64,32,32,64]', bytes: 2 * plane },
  { name: 'batch-norm', title: 'batchNorm, training, [64,32,32,64]', bytes: 3 * plane },
  { name: 'batch-norm-backward', title: 'batchNorm, training, forward and gradients', bytes: 8 * plane },
  { name: 'max-pool2d', title: 'maxPool2d 2×2 [64,32,32,64]', bytes: 1.25 * plane },
  { name: 'max-pool2d-backward', title: 'maxPool2d, forward and gradient', bytes: 2.75 * plane },
  {
    name: 'mlp-step',
    title: 'MLP 784-256-10, training step, batch 64, SGD',
    flops: 3 * (dense(64, 784, 256) + dense(64, 256, 10)) - dense(64, 784, 256),
  },
  { name: 'cnn-step-sgd', title: 'MNIST CNN, training step, batch 64, SGD', flops: cnnStep },
  { name: 'cnn-step-adam', title: 'MNIST CNN, training step, batch 64, Adam', flops: cnnStep },
  { name: 'cnn-inference', title: 'MNIST CNN, inference, batch 64', flops: cnnForward },
  {
    name: 'vgg-step',
    title: 'CIFAR VGG, 6 convolutions, training step, batch 64, SGD',
    flops: 3 * vggForward - conv(64, 32, 3, 64),
  },
  { name: 'tiny-op', title: 'add of 16 numbers, one of a thousand' },
  { name: 'start-up', title: 'import in a fresh process' },
]
