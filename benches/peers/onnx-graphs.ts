// The jobs as graphs of ONNX. Images are [batch, channels, height, width] there.

import type { Conv2d, Dense, MemoryBound, NetworkName, NetworkWork, Work } from '../work.js'
import { OnnxChain } from './onnx-chain.js'
import type { OnnxGraph } from './onnx-model.js'

/** What ONNX Runtime computes for this work; undefined where it has nothing like it. */
export function onnxGraph(work: Work): OnnxGraph | undefined {
  switch (work.op) {
    case 'matmul':
      return simple('MatMul', { a: [work.size, work.size], b: [work.size, work.size] })
    case 'tiny':
      return simple('Add', { a: [work.size], b: [work.size] })
    case 'dense':
      return dense(work)
    case 'conv2d':
      return convolution(work)
    case 'inference':
      return network(work)
    case 'step':
    case 'update':
    case 'start-up':
      return undefined
    default:
      return memoryBound(work)
  }
}

function simple(op: string, inputs: Record<string, number[]>): OnnxGraph {
  return { nodes: [{ op, inputs: Object.keys(inputs), output: 'y' }], inputs, output: 'y' }
}

function dense({ batch, inputs, units, direction }: Dense): OnnxGraph | undefined {
  if (direction !== 'forward') return undefined
  return new OnnxChain([batch, inputs]).dense(inputs, units).graph()
}

function convolution({ batch, size, channels, filters, kernel, stride, direction }: Conv2d): OnnxGraph | undefined {
  if (direction !== 'forward') return undefined
  return new OnnxChain([batch, channels, size, size]).conv(channels, filters, { kernel, stride }).graph()
}

/** Training and random numbers are missing, and gelu came with a later version of the format. */
const operators: Partial<Record<MemoryBound['op'], string>> = {
  relu: 'Relu',
  sigmoid: 'Sigmoid',
  tanh: 'Tanh',
  add: 'Add',
  mul: 'Mul',
  maxPool2d: 'MaxPool',
  softmax: 'Softmax',
  layerNorm: 'LayerNormalization',
}

function memoryBound({ op, shape, direction }: MemoryBound): OnnxGraph | undefined {
  const name = operators[op]
  if (name === undefined || direction !== 'forward') return undefined
  const x = shape.length === 4 ? [shape[0]!, shape[3]!, shape[1]!, shape[2]!] : shape
  if (op === 'add' || op === 'mul') return simple(name, { x, other: x })
  if (op === 'maxPool2d') return new OnnxChain(x).pool().graph()
  if (op === 'layerNorm') return new OnnxChain(x).node(name, { weights: [[x.at(-1)!], [x.at(-1)!]] }).graph()
  return simple(name, { x })
}

function network({ network, batch, input }: NetworkWork): OnnxGraph | undefined {
  const [height, width, channels] = input
  return builders[network]?.(new OnnxChain([batch, channels!, height!, width!])).graph()
}

const builders: Partial<Record<NetworkName, (chain: OnnxChain) => OnnxChain>> = {
  mnistCnn: (chain) =>
    chain.conv(1, 32).relu().pool().conv(32, 64).relu().pool().node('Flatten').dense(3136, 128).relu().dense(128, 10),
  vgg16: (chain) => {
    let channels = 3
    for (const [filters, depth] of [
      [64, 2],
      [128, 2],
      [256, 3],
      [512, 3],
      [512, 3],
    ] as const) {
      for (let i = 0; i < depth; i++) {
        chain.conv(channels, filters).relu()
        channels = filters
      }
      chain.pool()
    }
    return chain.node('Flatten').dense(25088, 4096).relu().dense(4096, 4096).relu().dense(4096, 1000)
  },
  resNet18: (chain) => {
    chain.conv(3, 64).norm(64).relu()
    let channels = 64
    for (const filters of [64, 128, 256, 512]) {
      for (let i = 0; i < 2; i++) {
        residual(chain, channels, filters)
        channels = filters
      }
    }
    return chain.node('GlobalAveragePool').node('Flatten').dense(512, 10)
  },
}

function residual(chain: OnnxChain, channels: number, filters: number): void {
  const stride = channels === filters ? 1 : 2
  const x = chain.at
  if (stride === 2) chain.conv(channels, filters, { kernel: 1, stride }).norm(filters)
  const shortcut = chain.at
  chain.at = x
  chain.conv(channels, filters, { stride }).norm(filters).relu().conv(filters, filters).norm(filters)
  chain.node('Add', { with: shortcut }).relu()
}
