// ONNX Runtime for Node.js on the CPU: inference only.

import { createRequire } from 'node:module'
import type * as Ort from 'onnxruntime-node'
import { type OnnxGraph, onnxModel } from './onnx-model.js'
import { fill, type JobName, type StartPeer, type Task, versionOf } from './peer.js'

const require = createRequire(import.meta.url)

export const startOnnxRuntime: StartPeer = async ({ threads }) => {
  const ort = require('onnxruntime-node') as typeof Ort
  return {
    name: 'onnxruntime-node',
    version: versionOf(require, 'onnxruntime-node'),
    threads,
    async prepare(job): Promise<Task> {
      const graph = graphOf(job)
      if (graph === undefined) return { cannot: 'runs trained models, trains none' }
      const session = await ort.InferenceSession.create(onnxModel(graph), {
        executionProviders: ['cpu'],
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
      })
      const feeds = Object.fromEntries(
        Object.entries(graph.inputs).map(([name, shape], i) => [
          name,
          new ort.Tensor(
            'float32',
            fill(
              shape.reduce((a, b) => a * b, 1),
              i + 1,
            ),
            shape,
          ),
        ]),
      )
      return { run: () => session.run(feeds) }
    },
  }
}

const constant = (name: string, ...shape: number[]) => ({
  name,
  shape,
  values: fill(
    shape.reduce((a, b) => a * b, 1),
    name.length,
  ),
})
const window3 = { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }
const window2 = { kernel_shape: [2, 2], strides: [2, 2] }

function graphOf(job: JobName): OnnxGraph | undefined {
  switch (job) {
    case 'matmul-256':
    case 'matmul-512':
    case 'matmul-1024': {
      const size = Number(job.slice('matmul-'.length))
      return {
        nodes: [{ op: 'MatMul', inputs: ['a', 'b'], output: 'y' }],
        inputs: { a: [size, size], b: [size, size] },
        output: 'y',
      }
    }
    case 'conv2d':
      return {
        nodes: [{ op: 'Conv', inputs: ['x', 'w', 'b'], output: 'y', attributes: window3 }],
        constants: [constant('w', 32, 32, 3, 3), constant('b', 32)],
        inputs: { x: [64, 32, 32, 32] },
        output: 'y',
      }
    case 'relu':
      return { nodes: [{ op: 'Relu', inputs: ['x'], output: 'y' }], inputs: { x: [64, 64, 32, 32] }, output: 'y' }
    case 'max-pool2d':
      return {
        nodes: [{ op: 'MaxPool', inputs: ['x'], output: 'y', attributes: window2 }],
        inputs: { x: [64, 64, 32, 32] },
        output: 'y',
      }
    case 'tiny-op':
      return { nodes: [{ op: 'Add', inputs: ['a', 'b'], output: 'y' }], inputs: { a: [16], b: [16] }, output: 'y' }
    case 'cnn-inference':
      return mnistCnn()
    default:
      return undefined
  }
}

function mnistCnn(): OnnxGraph {
  const nodes: OnnxGraph['nodes'] = []
  let current = 'x'
  const then = (op: string, more: string[] = [], extra: Partial<OnnxGraph['nodes'][number]> = {}): void => {
    const output = `${op}${nodes.length}`
    nodes.push({ op, inputs: [current, ...more], output, ...extra })
    current = output
  }
  for (const layer of ['1', '2']) {
    then('Conv', [`w${layer}`, `b${layer}`], { attributes: window3 })
    then('Relu')
    then('MaxPool', [], { attributes: window2 })
  }
  then('Flatten', [], { numbers: { axis: 1 } })
  then('Gemm', ['w3', 'b3'])
  then('Relu')
  then('Gemm', ['w4', 'b4'])
  return {
    nodes,
    constants: [
      constant('w1', 32, 1, 3, 3),
      constant('b1', 32),
      constant('w2', 64, 32, 3, 3),
      constant('b2', 64),
      constant('w3', 3136, 128),
      constant('b3', 128),
      constant('w4', 128, 10),
      constant('b4', 10),
    ],
    inputs: { x: [64, 1, 28, 28] },
    output: current,
  }
}
