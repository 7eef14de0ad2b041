// Activations by name, as ops and layers take them.

import { show, typeError } from '../errors.js'
import type { Tensor } from '../tensor/tensor.js'
import { elu } from './elu.js'
import { gelu } from './gelu.js'
import { leakyRelu } from './leaky-relu.js'
import { relu } from './relu.js'
import { sigmoid } from './sigmoid.js'
import { softplus } from './softplus.js'
import { swish } from './swish.js'
import { tanh } from './tanh.js'

const byName = { elu, gelu, leakyRelu, relu, sigmoid, softplus, swish, tanh } as const satisfies Record<
  string,
  (x: Tensor) => Tensor
>

/** The name of an activation with its default options. */
export type Activation = keyof typeof byName

/** @internal Throws unless `value` names an activation. */
export function checkActivation(op: string, value: unknown): asserts value is Activation {
  if (typeof value !== 'string' || !Object.hasOwn(byName, value)) {
    const names = Object.keys(byName).map((name) => `'${name}'`)
    throw typeError(`${op}: activation must be ${names.join(', ')} or left out. got ${show(value)}`)
  }
}

/** @internal The activation called `name` of every element of `x`. */
export function activate(name: Activation, x: Tensor): Tensor {
  return byName[name](x)
}
