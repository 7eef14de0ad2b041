// Builds a graph of ONNX node by node, each taking what the one before it gave.

import type { Constant, OnnxGraph, OnnxNode } from './onnx-model.js'
import { fill } from './peer.js'

interface Link extends Pick<OnnxNode, 'attributes' | 'numbers'> {
  /** Shapes of the weights that the node takes behind its input. */
  weights?: number[][]
  /** Another result that it takes. */
  with?: string
}

export class OnnxChain {
  /** The name of the latest result. Set it to go on from another one. */
  at = 'x'
  private readonly nodes: OnnxNode[] = []
  private readonly constants: Constant[] = []

  constructor(private readonly input: number[]) {}

  node(op: string, { weights = [], with: other, ...attributes }: Link = {}): this {
    const output = `${op}${this.nodes.length}`
    const names = weights.map((shape) => this.constant(shape))
    const inputs = [this.at, ...(other === undefined ? [] : [other]), ...names]
    this.nodes.push({ op, inputs, output, ...attributes })
    this.at = output
    return this
  }

  conv(channels: number, filters: number, { kernel = 3, stride = 1 } = {}): this {
    const attributes = {
      kernel_shape: [kernel, kernel],
      strides: [stride, stride],
      pads: Array(4).fill((kernel - 1) / 2) as number[],
    }
    return this.node('Conv', { weights: [[filters, channels, kernel, kernel], [filters]], attributes })
  }

  dense(inputs: number, units: number): this {
    return this.node('Gemm', { weights: [[inputs, units], [units]] })
  }

  pool(): this {
    return this.node('MaxPool', { attributes: { kernel_shape: [2, 2], strides: [2, 2] } })
  }

  /** Batch normalisation with fixed statistics, which the runtime folds into the convolution before it. */
  norm(channels: number): this {
    const output = `norm${this.nodes.length}`
    const ones = (name: string): string => {
      const full = `${name}${this.constants.length}`
      this.constants.push({ name: full, shape: [channels], values: new Float32Array(channels).fill(1) })
      return full
    }
    const inputs = [this.at, ones('gamma'), this.constant([channels]), this.constant([channels]), ones('variance')]
    this.nodes.push({ op: 'BatchNormalization', inputs, output })
    this.at = output
    return this
  }

  relu(): this {
    return this.node('Relu')
  }

  graph(): OnnxGraph {
    return { nodes: this.nodes, constants: this.constants, inputs: { x: this.input }, output: this.at }
  }

  private constant(shape: number[]): string {
    const name = `w${this.constants.length}`
    const count = shape.reduce((a, b) => a * b, 1)
    // Sums of so many products neither die out nor explode from layer to layer.
    const fanIn = shape.length === 4 ? count / shape[0]! : shape.length === 2 ? shape[0]! : 1
    const scale = fanIn === 1 ? 0.1 : Math.sqrt(24 / fanIn)
    const values = fill(count, name.length).map((value) => value * scale)
    this.constants.push({ name, shape, values })
    return name
  }
}
