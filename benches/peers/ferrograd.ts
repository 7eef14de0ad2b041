// ferrograd, through its public interface; gradients alone run the rules that `backward` runs, from inside.

import { createRequire } from 'node:module'
import {
  add,
  backward,
  batchNorm,
  conv2d,
  dropout,
  gelu,
  gradients,
  layerNorm,
  losses,
  matmul,
  maxPool2d,
  mul,
  noGrad,
  relu,
  scope,
  setThreads,
  sigmoid,
  softmax,
  type Tensor,
  tanh,
  tensor,
  variable,
} from 'ferrograd'
import type { Conv2d, Dense, Job, MemoryBound, Update } from '../work.js'
import { inference, makeNetwork, makeOptimizer, training } from './ferrograd-networks.js'
import { fill, labels, type StartPeer, type Timed, versionOf } from './peer.js'

const require = createRequire(import.meta.url)

export const startFerrograd: StartPeer = async ({ threads }) => {
  setThreads(threads)
  const prepared = new Map<Job, Prepared>()
  return {
    name: 'ferrograd',
    version: versionOf(require, 'ferrograd'),
    threads,
    async prepare(job) {
      if (job.work.op === 'start-up') return { cannot: 'measured apart' }
      const made = makeTask(job)
      prepared.set(job, made)
      return made
    },
    release(job) {
      prepared.get(job)?.dispose()
      prepared.delete(job)
    },
  }
}

/** A task and how to free what it holds. */
export interface Prepared extends Timed {
  dispose(): void
}

/** The job on ferrograd, on whatever number of threads is set. */
export function makeTask(job: Job): Prepared {
  const held: { dispose(): void }[] = []
  const task = new Maker(job, (x) => {
    held.push(x)
    return x
  }).task()
  return {
    ...task,
    dispose: () => {
      for (const x of held) x.dispose()
    },
  }
}

/** What an op leaves behind for `backward`: see ts/tensor/graph.ts. */
interface Recorded {
  rule(dy: Tensor, saved: readonly Tensor[], wanted: readonly boolean[]): readonly (Tensor | undefined)[]
  takeSaved(): readonly Tensor[]
}

class Maker {
  constructor(
    private readonly job: Job,
    private readonly hold: <T extends { dispose(): void }>(x: T) => T,
  ) {}

  task(): Timed {
    const { work } = this.job
    switch (work.op) {
      case 'matmul': {
        const [a, b] = [this.random(work.size, work.size), this.weight(work.size, work.size)]
        return this.repeated(() => matmul(a, b))
      }
      case 'dense':
        return this.dense(work)
      case 'conv2d':
        return this.conv2d(work)
      case 'update':
        return this.update(work)
      case 'step': {
        const xs = this.random(work.batch, ...work.input)
        return this.hold(training(makeNetwork(work.network), makeOptimizer(work.optimizer, work.learningRate), xs))
      }
      case 'inference':
        return this.hold(inference(makeNetwork(work.network), this.random(work.batch, ...work.input)))
      case 'tiny': {
        const [a, b] = [this.random(work.size), this.random(work.size)]
        return this.repeated(() => add(a, b), 1000)
      }
      case 'start-up':
        throw new RangeError('start-up is measured apart')
      default:
        return this.memoryBound(work)
    }
  }

  private random(...shape: number[]): Tensor {
    const count = shape.reduce((a, b) => a * b, 1)
    return this.hold(tensor(fill(count, shape.length), { shape }))
  }

  /** Recorded, as in training: of constant weights a packed copy would be kept, which peers do in inference only. */
  private weight(...shape: number[]): Tensor {
    return this.hold(variable(this.random(...shape)))
  }

  private dense({ batch, inputs, units, direction }: Dense): Timed {
    const x = this.random(batch, inputs)
    const [weight, bias] = [this.weight(inputs, units), this.random(units)]
    const forward = (x: Tensor, weight: Tensor) => matmul(x, weight, { bias })
    if (direction === 'forward') return this.repeated(() => forward(x, weight))
    return this.gradientAlone(forward, x, weight, direction)
  }

  private conv2d({ batch, size, channels, filters, kernel, stride, direction }: Conv2d): Timed {
    const x = this.random(batch, size, size, channels)
    const [weight, bias] = [this.weight(kernel, kernel, channels, filters), this.random(filters)]
    const forward = (x: Tensor, weight: Tensor) => conv2d(x, weight, { bias, stride, padding: (kernel - 1) / 2 })
    if (direction === 'forward') return this.repeated(() => forward(x, weight))
    if (direction === 'all') return this.withGradients(() => forward(x, weight), [x, weight, bias])
    return this.gradientAlone(forward, x, weight, direction)
  }

  private memoryBound({ op, shape, direction }: MemoryBound): Timed {
    const x = this.random(...shape)
    const channels = shape.at(-1)!
    const [gamma, beta] = [this.random(channels), this.random(channels)]
    const other = op === 'add' || op === 'mul' ? this.random(...shape) : x
    const ys = this.hold(tensor(labels(shape[0]!, channels)))
    const calls: Record<MemoryBound['op'], () => Tensor> = {
      relu: () => relu(x),
      gelu: () => gelu(x),
      sigmoid: () => sigmoid(x),
      tanh: () => tanh(x),
      add: () => add(x, other),
      mul: () => mul(x, other),
      maxPool2d: () => maxPool2d(x, { size: 2 }),
      batchNorm: () => batchNorm(x, { gamma, beta, epsilon: 1e-5 }),
      layerNorm: () => layerNorm(x, { gamma, beta, epsilon: 1e-5 }),
      softmax: () => softmax(x),
      softmaxCrossEntropy: () => losses.softmaxCrossEntropy(x, ys),
      dropout: () => dropout(x, { rate: 0.5 }),
    }
    if (direction === 'forward') return this.repeated(calls[op])
    return this.withGradients(calls[op], op === 'batchNorm' || op === 'layerNorm' ? [x, gamma, beta] : [x])
  }

  private update({ optimizer: name, learningRate, parameters }: Update): Timed {
    const optimizer = this.hold(makeOptimizer(name, learningRate))
    // Gradients of a step are what an optimizer takes; the same ones every time cost it the same.
    const found = scope(() => {
      if (typeof parameters === 'number') {
        const weights = this.hold(variable(this.random(parameters)))
        return backward(losses.meanSquaredError(weights, this.random(parameters)))
      }
      const network = this.hold(makeNetwork(parameters))
      const xs = this.random(2, 32, 32, 3)
      const scores = network.forward(xs, { training: true }) as Tensor
      return backward(losses.softmaxCrossEntropy(scores, this.hold(tensor(labels(2)))))
    })
    this.hold(found)
    return this.repeated(() => optimizer.step(found))
  }

  /**
   * One gradient alone, x's or the weight's. The public interface computes gradients behind a forward pass only, so this
   * calls the rule that the op recorded, as `backward` does, again and again.
   */
  private gradientAlone(
    forward: (x: Tensor, weight: Tensor) => Tensor,
    x: Tensor,
    weight: Tensor,
    direction: 'input' | 'weight',
  ): Timed {
    const y = this.hold(forward(this.hold(variable(x)), this.hold(variable(weight))))
    const dy = this.random(...y.shape)
    const { node } = (y as unknown as { life: { node: Recorded } }).life
    const wanted = [direction === 'input', direction === 'weight', false]
    return this.repeated(() => noGrad(() => node.rule(dy, node.takeSaved(), wanted)))
  }

  /** The op and its gradients, given that of its result. */
  private withGradients(compute: () => Tensor, xs: Tensor[]): Timed {
    const upstream = this.random(...scope(() => [...compute().shape]))
    return this.repeated(() => gradients(compute, xs, { upstream }))
  }

  /** An op a few times in a row and one wait at the end, as inside a training step: the wait alone is no op's cost. */
  private repeated(compute: () => unknown, per = timesInARow(this.job)): Timed {
    const one = this.random(1)
    return {
      per,
      run: async () => {
        const last = scope(() => {
          for (let i = 0; i < per; i++) scope(() => void compute())
          return add(one, one)
        })
        // Work runs in order: when this number is there, everything before it is done.
        await last.item()
        last.dispose()
      },
    }
  }
}

/** So many that they take some milliseconds. */
function timesInARow({ flops = 0, bytes = 0 }: Job): number {
  const seconds = flops / 3e11 + bytes / 3e10
  return Math.min(16, Math.max(1, Math.ceil(0.005 / seconds)))
}
