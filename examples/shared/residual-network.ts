// A small residual network, put together as a graph.
import { input, layers, type Model, model, type SymbolicTensor } from 'ferrograd'

const block = (x: SymbolicTensor, filters: number, pool = false): SymbolicTensor => {
  const convolution = layers.conv2d({
    filters,
    kernelSize: 3,
    padding: 'same',
    useBias: false,
    kernelInitializer: 'heNormal',
  })
  const normal = layers.batchNorm({ momentum: 0.9, epsilon: 1e-5 }).apply(convolution.apply(x))
  const active = layers.activation({ activation: 'relu' }).apply(normal)
  return pool ? layers.maxPool2d({ poolSize: 2 }).apply(active) : active
}
const residual = (x: SymbolicTensor, filters: number): SymbolicTensor =>
  layers.add().apply([x, block(block(x, filters), filters)])

/** Nine layers with weights and two shortcuts, by D. Page (2018), with half of its filters: `[N, H, W, C] -> [N, 10]`. */
export function residualNetwork(inputShape: number[]): Model {
  const x = input({ shape: inputShape })
  const early = residual(block(block(x, 32), 64, true), 64)
  const late = residual(block(block(early, 128, true), 256, true), 256)
  const scores = layers.dense({ units: 10 }).apply(layers.globalMaxPool2d().apply(late))
  return model({ inputs: x, outputs: scores })
}
