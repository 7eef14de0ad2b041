// brain.js: multi-layer perceptrons in plain JavaScript, updated after every example.

import { createRequire } from 'node:module'
import { fill, labels, type StartPeer, versionOf } from './peer.js'

interface Brain {
  NeuralNetwork: new (
    options: Record<string, unknown>,
  ) => {
    train(data: { input: number[]; output: number[] }[], options: Record<string, unknown>): unknown
  }
}

const require = createRequire(import.meta.url)

export const startBrain: StartPeer = async () => ({
  name: 'brain.js',
  version: versionOf(require, 'brain.js'),
  threads: 1,
  async prepare({ work }) {
    if (work.op !== 'step' || work.network !== 'mlp') return { cannot: 'trains multi-layer perceptrons only' }
    const { NeuralNetwork } = require('brain.js') as Brain
    const net = new NeuralNetwork({ hiddenLayers: [256], activation: 'relu', learningRate: work.learningRate })
    const ys = labels(work.batch)
    const data = Array.from({ length: work.batch }, (_, i) => ({
      input: [...fill(work.input[0]!, i + 1)],
      output: Array.from({ length: 10 }, (_, j) => (j === ys[i] ? 1 : 0)),
    }))
    // One pass over the batch: the same work as a step, though it is an update for each example.
    return { run: () => net.train(data, { iterations: 1 }) }
  },
})
