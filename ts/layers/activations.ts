// Activations by name.

import { checkChoice } from '../initializers/options.js'
import { elu, gelu, leakyRelu, logSoftmax, relu, sigmoid, softmax, softplus, swish, tanh } from '../ops/index.js'
import type { Tensor } from '../tensor/tensor.js'

const functions = {
  linear: (x: Tensor) => x,
  relu: (x: Tensor) => relu(x),
  leakyRelu: (x: Tensor) => leakyRelu(x),
  elu: (x: Tensor) => elu(x),
  gelu: (x: Tensor) => gelu(x),
  sigmoid: (x: Tensor) => sigmoid(x),
  tanh: (x: Tensor) => tanh(x),
  softplus: (x: Tensor) => softplus(x),
  swish: (x: Tensor) => swish(x),
  softmax: (x: Tensor) => softmax(x),
  logSoftmax: (x: Tensor) => logSoftmax(x),
}

/** 'linear' changes nothing; 'softmax' and 'logSoftmax' work along the last axis. */
export type ActivationName = keyof typeof functions

const flops: Readonly<Record<ActivationName, number>> = {
  linear: 0,
  relu: 1,
  leakyRelu: 2,
  elu: 3,
  gelu: 5,
  sigmoid: 3,
  tanh: 4,
  softplus: 3,
  swish: 4,
  softmax: 4,
  logSoftmax: 4,
}

const names = Object.keys(functions) as ActivationName[]

/** @internal */
export function checkActivation(op: string, value: unknown): ActivationName {
  return checkChoice(op, 'activation', value, names)
}

/** @internal */
export function activate(name: ActivationName, x: Tensor): Tensor {
  return functions[name](x)
}

/** @internal Operations for each element, an exponential or a division counted as one. */
export function activationFlops(name: ActivationName): number {
  return flops[name]
}
