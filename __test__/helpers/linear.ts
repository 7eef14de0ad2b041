// The smallest thing that can be trained: y = xW + b, with all that the training loop asks of a model and no more.

import {
  add,
  type CompileOptions,
  clip,
  full,
  matmul,
  mul,
  noGrad,
  optimizers,
  scope,
  square,
  sum,
  type Tensor,
  type Trainable,
  tensor,
  type Variable,
  variable,
} from 'ferrograd'
import { type Compiled, compile } from '../../dist/training/compile.js'

export interface LinearOptions {
  weight?: number[][]
  bias?: number[]
  /** Factor of the squared weights in the loss. */
  l2?: number
  /** Weights are kept within ± this. */
  bound?: number
  dtype?: 'float32' | 'float64'
}

export class Linear implements Trainable {
  readonly name = 'linear'
  readonly weight: Variable
  readonly bias: Variable
  readonly inputShape: readonly (number | null)[]
  readonly outputShape: readonly (number | null)[]
  stopTraining?: boolean
  /** The inputs of every forward pass, and whether it was for training. */
  readonly seen: { training: boolean; rows: Promise<ArrayLike<number>> }[] = []

  constructor(readonly options: LinearOptions = {}) {
    const { weight = [[0], [0]], bias = weight[0]!.map(() => 0), dtype = 'float32' } = options
    this.weight = scope(() => variable(tensor(weight, { dtype }), { name: 'weight' }))
    this.bias = scope(() => variable(tensor(bias, { dtype }), { name: 'bias' }))
    this.inputShape = [null, weight.length]
    this.outputShape = [null, weight[0]!.length]
  }

  get weights(): Variable[] {
    return [this.weight, this.bias]
  }

  get trainableWeights(): Variable[] {
    return this.weights.filter((weight) => weight.trainable)
  }

  forward(x: Tensor | Tensor[], { training = false }: { training?: boolean } = {}): Tensor {
    if (Array.isArray(x)) throw new Error('one input only')
    this.seen.push({ training, rows: x.data() })
    return add(matmul(x, this.weight), this.bias)
  }

  regularization(): Tensor | undefined {
    const { l2 } = this.options
    return l2 === undefined ? undefined : mul(sum(square(this.weight)), full([], l2, { dtype: this.weight.dtype }))
  }

  applyConstraints(): void {
    const { bound } = this.options
    if (bound !== undefined) noGrad(() => this.weight.assign(clip(this.weight, { min: -bound, max: bound })))
  }

  /** The first column of the inputs of every training step. */
  async batches(): Promise<number[][]> {
    const width = this.inputShape[1]!
    const all = await Promise.all(this.seen.filter(({ training }) => training).map(({ rows }) => rows))
    return all.map((rows) => Array.from(rows).filter((_, i) => i % width === 0))
  }
}

/** A model with plain gradient descent, ready to train. */
export function linear(
  options: LinearOptions & Partial<Omit<CompileOptions, 'optimizer'>> & { learningRate?: number } = {},
): { model: Linear; compiled: Compiled } {
  const { loss = 'meanSquaredError', metrics = [], learningRate = 0.1, ...rest } = options
  const model = new Linear(rest)
  return { model, compiled: compile(model, { optimizer: optimizers.sgd({ learningRate }), loss, metrics }) }
}

/** `count` samples `[i, 1]`, with i as the label. */
export function counting(count: number): { x: number[][]; y: number[] } {
  const y = Array.from({ length: count }, (_, i) => i)
  return { x: y.map((i) => [i, 1]), y }
}

/** Gradient descent on the mean squared error of `[a, b] · w + c`, in plain numbers. */
export class ByHand {
  w = [0, 0]
  c = 0

  constructor(
    private readonly rate: number,
    private readonly l2 = 0,
  ) {}

  predict(row: readonly number[]): number {
    return row[0]! * this.w[0]! + row[1]! * this.w[1]! + this.c
  }

  /** The loss of these samples, and a step on them unless `rate` is 0. */
  step(x: readonly (readonly number[])[], y: readonly number[], weights: readonly number[] = y.map(() => 1)): number {
    let loss = this.l2 * (this.w[0]! ** 2 + this.w[1]! ** 2)
    const gradient = [2 * this.l2 * this.w[0]!, 2 * this.l2 * this.w[1]!, 0]
    x.forEach((row, i) => {
      const error = this.predict(row) - y[i]!
      loss += (weights[i]! * error * error) / x.length
      const factor = (2 * weights[i]! * error) / x.length
      gradient[0]! += factor * row[0]!
      gradient[1]! += factor * row[1]!
      gradient[2]! += factor
    })
    this.w = this.w.map((w, i) => w - this.rate * gradient[i]!)
    this.c -= this.rate * gradient[2]!
    return loss
  }
}

export function close(a: number, b: number, tolerance = 1e-5): boolean {
  return Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(a), Math.abs(b))
}
