// What dense and convolutional layers share: a kernel, a bias and an activation.

import type { ConstraintOption } from '../constraints/constraint.js'
import { resolveConstraint } from '../constraints/constraint.js'
import { checkBoolean } from '../initializers/options.js'
import { type InitializerOption, resolveInitializer } from '../initializers/resolve.js'
import { type RegularizerOption, resolveRegularizer } from '../regularizers/regularizer.js'
import type { Tensor } from '../tensor/tensor.js'
import type { Variable } from '../tensor/variable.js'
import { type ActivationName, activate, activationFlops, checkActivation } from './activations.js'
import { Layer, type LayerOptions } from './layer.js'

/** Options of every layer with a kernel. */
export interface KernelOptions extends LayerOptions {
  /** Applied to the result. Default 'linear'. */
  activation?: ActivationName
  /** Default true. */
  useBias?: boolean
  /** Default 'glorotUniform'. */
  kernelInitializer?: InitializerOption
  /** Default 'zeros'. */
  biasInitializer?: InitializerOption
  kernelRegularizer?: RegularizerOption
  biasRegularizer?: RegularizerOption
  kernelConstraint?: ConstraintOption
  biasConstraint?: ConstraintOption
}

/** @internal */
export const kernelOptionNames = [
  'name',
  'trainable',
  'inputShape',
  'activation',
  'useBias',
  'kernelInitializer',
  'biasInitializer',
  'kernelRegularizer',
  'biasRegularizer',
  'kernelConstraint',
  'biasConstraint',
] as const

export abstract class KernelLayer extends Layer {
  readonly activation: ActivationName
  readonly useBias: boolean
  protected kernel!: Variable
  protected bias: Variable | undefined
  private readonly settings: KernelOptions

  constructor(options: KernelOptions) {
    super(options)
    const { activation = 'linear', useBias = true } = options
    this.activation = checkActivation(this.$label, activation)
    this.useBias = checkBoolean(this.$label, 'useBias', useBias)
    this.settings = {
      kernelInitializer: resolveInitializer(
        this.$label,
        'kernelInitializer',
        options.kernelInitializer ?? 'glorotUniform',
      ),
      biasInitializer: resolveInitializer(this.$label, 'biasInitializer', options.biasInitializer ?? 'zeros'),
      ...resolved(this.$label, options, 'kernelRegularizer', resolveRegularizer),
      ...resolved(this.$label, options, 'biasRegularizer', resolveRegularizer),
      ...resolved(this.$label, options, 'kernelConstraint', resolveConstraint),
      ...resolved(this.$label, options, 'biasConstraint', resolveConstraint),
    }
  }

  /** @internal For use in `build`. */
  protected addKernel(shape: readonly number[], outputs = shape.at(-1)!): void {
    const { kernelInitializer, biasInitializer, kernelRegularizer, biasRegularizer, kernelConstraint, biasConstraint } =
      this.settings
    this.kernel = this.addWeight('kernel', shape, kernelInitializer!, {
      regularizer: kernelRegularizer,
      constraint: kernelConstraint,
    })
    if (!this.useBias) return
    this.bias = this.addWeight('bias', [outputs], biasInitializer!, {
      regularizer: biasRegularizer,
      constraint: biasConstraint,
    })
  }

  /** @internal Whether the op applies the activation itself, in the same pass over the result. */
  protected get fused(): 'relu' | undefined {
    return this.activation === 'relu' ? 'relu' : undefined
  }

  /** @internal Applies the activation, if the op did not. */
  protected activated(y: Tensor): Tensor {
    return this.fused === undefined ? activate(this.activation, y) : y
  }

  /** @internal Operations on each of `outputs` numbers behind the products: the bias and the activation. */
  protected flopsAfter(outputs: number): number {
    return outputs * (Number(this.useBias) + activationFlops(this.activation))
  }

  /** @internal A fused activation keeps only its own result, any other one also what it began with. */
  protected keptWithActivation(outputs: number | undefined): number | undefined {
    return outputs === undefined || this.fused !== undefined || this.activation === 'linear' ? outputs : 2 * outputs
  }
}

function resolved<K extends keyof KernelOptions, R>(
  label: string,
  options: KernelOptions,
  key: K,
  resolve: (op: string, option: string, value: unknown) => R,
): Partial<Record<K, R>> {
  const value = options[key]
  return value === undefined ? {} : ({ [key]: resolve(label, key, value) } as Record<K, R>)
}
