// ONNX Runtime for Node.js on the CPU: inference only.

import { createRequire } from 'node:module'
import type * as Ort from 'onnxruntime-node'
import { onnxGraph } from './onnx-graphs.js'
import { onnxModel } from './onnx-model.js'
import { fill, type StartPeer, type Task, versionOf } from './peer.js'

const require = createRequire(import.meta.url)

export const startOnnxRuntime: StartPeer = async ({ threads }) => {
  const ort = require('onnxruntime-node') as typeof Ort
  const sessions = new Map<string, Ort.InferenceSession>()
  return {
    name: 'onnxruntime-node',
    version: versionOf(require, 'onnxruntime-node'),
    threads,
    async prepare(job): Promise<Task> {
      const graph = onnxGraph(job.work)
      if (graph === undefined) return { cannot: 'runs trained models, trains none' }
      const session = await ort.InferenceSession.create(onnxModel(graph), {
        executionProviders: ['cpu'],
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
      })
      sessions.set(job.name, session)
      const feeds = Object.fromEntries(
        Object.entries(graph.inputs).map(([name, shape], i) => {
          const count = shape.reduce((a, b) => a * b, 1)
          return [name, new ort.Tensor('float32', fill(count, i + 1), shape)]
        }),
      )
      return { run: () => session.run(feeds) }
    },
    async release(job) {
      await sessions.get(job.name)?.release()
      sessions.delete(job.name)
    },
  }
}
