// Activations as layers of their own.

import { checkNumber, checkOptions } from '../initializers/options.js'
import { leakyRelu as leaky } from '../ops/index.js'
import type { Tensor } from '../tensor/tensor.js'
import { type ActivationName, activate, activationFlops, checkActivation } from './activations.js'
import { Layer, type LayerOptions } from './layer.js'
import { checkSingle, exampleSize, type Shape } from './shape.js'

export interface ActivationOptions extends LayerOptions {
  activation: ActivationName
}

export interface LeakyReluOptions extends LayerOptions {
  /** The slope below zero. Default 0.2, as for the op. */
  alpha?: number
}

export class Activation extends Layer {
  readonly activation: ActivationName

  constructor(options: ActivationOptions) {
    checkOptions('activation', options, ['name', 'trainable', 'inputShape', 'activation'])
    super(options)
    this.activation = checkActivation(this.$label, options.activation)
  }

  override get kind(): string {
    return 'activation'
  }

  override build(inputShape: Shape | readonly Shape[]): void {
    checkSingle(this.$label, inputShape)
  }

  override forward(x: Tensor): Tensor {
    return activate(this.activation, x)
  }

  override flops(inputShape: Shape): number | undefined {
    const size = exampleSize(inputShape)
    return size === undefined ? undefined : size * activationFlops(this.activation)
  }
}

export class LeakyRelu extends Layer {
  readonly alpha: number

  constructor(options: LeakyReluOptions = {}) {
    checkOptions('leakyRelu', options, ['name', 'trainable', 'inputShape', 'alpha'])
    super(options)
    this.alpha = checkNumber(this.$label, 'alpha', options.alpha ?? 0.2)
  }

  override get kind(): string {
    return 'leakyRelu'
  }

  override build(inputShape: Shape | readonly Shape[]): void {
    checkSingle(this.$label, inputShape)
  }

  override forward(x: Tensor): Tensor {
    return leaky(x, { alpha: this.alpha })
  }

  override flops(inputShape: Shape): number | undefined {
    const size = exampleSize(inputShape)
    return size === undefined ? undefined : size * activationFlops('leakyRelu')
  }
}

/** An activation by name, element by element ('softmax' and 'logSoftmax' along the last axis). Keeps the shape. */
export function activation(options: ActivationOptions): Activation {
  return new Activation(options)
}

/** y = x where x > 0, `alpha` · x elsewhere. Keeps the shape. Source: Maas, Hannun and Ng 2013. */
export function leakyRelu(options: LeakyReluOptions = {}): LeakyRelu {
  return new LeakyRelu(options)
}
