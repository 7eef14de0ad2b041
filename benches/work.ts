// What a peer is asked to compute, as plain data: it crosses to other processes as JSON, and no size is written twice.
// Shapes are ours, [batch, height, width, channels]; each peer turns them as it likes them.

/** Which part of an op: the op, one of its gradients alone, or the op and all its gradients. */
export type Direction = 'forward' | 'input' | 'weight' | 'all'

export interface Matmul {
  op: 'matmul'
  /** Of the square factors. */
  size: number
}

/** x · weight + bias. */
export interface Dense {
  op: 'dense'
  batch: number
  inputs: number
  units: number
  direction: Exclude<Direction, 'all'>
}

/** Square images and windows, bias, and `(kernel - 1) / 2` zeros on each side. */
export interface Conv2d {
  op: 'conv2d'
  batch: number
  size: number
  channels: number
  filters: number
  kernel: number
  stride: number
  direction: Direction
}

/** Ops that compute little for every number that they read. Pools take windows of 2 × 2, dropout drops half. */
export interface MemoryBound {
  op:
    | 'relu'
    | 'gelu'
    | 'sigmoid'
    | 'tanh'
    | 'add'
    | 'mul'
    | 'maxPool2d'
    | 'batchNorm'
    | 'layerNorm'
    | 'softmax'
    | 'softmaxCrossEntropy'
    | 'dropout'
  shape: number[]
  direction: 'forward' | 'all'
}

export type OptimizerName = 'sgd' | 'momentum' | 'adam'
export type NetworkName = 'mlp' | 'mnistCnn' | 'vggSmall' | 'resNet18' | 'vgg16'

/** One step of an optimizer over parameters of one tensor, or of a network. */
export interface Update {
  op: 'update'
  optimizer: OptimizerName
  learningRate: number
  parameters: number | NetworkName
}

export interface NetworkWork {
  network: NetworkName
  batch: number
  /** Of one example. */
  input: number[]
  classes: number
}

/** Forward, loss, backward, update, and the loss as a number. */
export interface Step extends NetworkWork {
  op: 'step'
  optimizer: OptimizerName
  learningRate: number
}

export interface Inference extends NetworkWork {
  op: 'inference'
}

/** Additions of so few numbers that only the call costs. */
export interface Tiny {
  op: 'tiny'
  size: number
}

export interface StartUp {
  op: 'start-up'
}

export type Work = Matmul | Dense | Conv2d | MemoryBound | Update | Step | Inference | Tiny | StartUp

export type Group = 'matmul' | 'dense' | 'conv' | 'bandwidth' | 'optimizers' | 'steps' | 'inference' | 'overhead'

export interface Job {
  name: string
  group: Group
  /** One line for the table. */
  title: string
  work: Work
  /** Floating-point operations of one run, a multiplication and an addition counting as two; for GFLOP/s. */
  flops?: number
  /** Bytes read and written at least once, for GB/s. */
  bytes?: number
}
