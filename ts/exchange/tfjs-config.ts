// The options of a layer of a tf.js model: each is used, known to be of no effect here, or an error.

import { FormatError, show } from '../errors.js'
import { oneOf } from '../initializers/options.js'
import type { ActivationName } from '../layers/activations.js'
import { checkObject } from '../models/model-file.js'
import { l1l2, type Regularizer } from '../regularizers/regularizer.js'

/** Keras' names for activations that we have. */
const activations: Readonly<Record<string, ActivationName>> = {
  ...{ linear: 'linear', relu: 'relu', elu: 'elu', gelu: 'gelu', sigmoid: 'sigmoid', tanh: 'tanh' },
  ...{ softplus: 'softplus', swish: 'swish', silu: 'swish', softmax: 'softmax' },
  ...{ logSoftmax: 'logSoftmax', log_softmax: 'logSoftmax' },
}

/** Of no effect on what a loaded layer computes. */
const harmless = new Set(['name', 'trainable', 'batch_input_shape', 'batch_shape', 'input_dtype', 'seed', 'rank'])

export class TfjsConfig {
  /** How errors call the layer. */
  readonly label: string
  private readonly values: Readonly<Record<string, unknown>>
  private readonly used = new Set<string>()

  constructor(
    private readonly op: string,
    kind: string,
    values: unknown,
  ) {
    this.values = checkObject(op, `the config of a layer ${show(kind)}`, values)
    this.label = `layer ${show(this.values.name)} (${kind})`
    this.checkDType()
  }

  /** A name, or since Keras 3 a policy that has one. */
  private checkDType(): void {
    const dtype = this.take<unknown>('dtype') ?? 'float32'
    const policy = typeof dtype === 'object' ? (dtype as { config?: { name?: unknown } }).config?.name : dtype
    if (policy !== 'float32') throw this.error(`dtype ${show(policy ?? dtype)} is not supported, only "float32"`)
  }

  /** An option, undefined where it is left out or null. Its layer checks the value. */
  take<T>(key: string): T | undefined {
    this.used.add(key)
    const value = Object.hasOwn(this.values, key) ? this.values[key] : undefined
    return (value === null ? undefined : value) as T | undefined
  }

  /** Throws unless the option has one of these values. */
  only(key: string, ...allowed: unknown[]): void {
    const value = this.take(key)
    if (!allowed.some((one) => one === value)) {
      const known = allowed.filter((one) => one !== undefined).map(show)
      throw this.error(
        `${key} ${show(value)} is not supported${known.length === 0 ? '' : `, only ${known.join(' or ')}`}`,
      )
    }
  }

  /** An axis that must be the last one; undefined for -1, which always is. */
  lastAxis(): number | undefined {
    const value = this.take<unknown>('axis') ?? -1
    const axis: unknown = Array.isArray(value) && value.length === 1 ? value[0] : value
    if (axis === -1) return undefined
    if (typeof axis !== 'number') throw this.error(`axis ${show(value)} is not supported, only the last one`)
    return axis
  }

  activation(): ActivationName {
    const name = this.take<unknown>('activation') ?? 'linear'
    if (typeof name !== 'string' || !Object.hasOwn(activations, name)) {
      throw this.error(`activation ${show(name)} is not supported, only ${oneOf(Object.keys(activations))}`)
    }
    return activations[name]!
  }

  /** `{ [option]: regularizer }` where there is one. */
  regularizer(key: string, option: string): Record<string, Regularizer> {
    const value = this.take<unknown>(key)
    if (value === undefined) return {}
    const { class_name, config } = checkObject(this.op, `${this.label}: ${key}`, value)
    const { l1 = 0, l2 = 0 } = checkObject(this.op, `${this.label}: the config of ${key}`, config)
    const known = class_name === 'L1L2' || class_name === 'L1' || class_name === 'L2'
    if (!known) throw this.error(`${key} of class ${show(class_name)} is not supported, only L1L2, L1 and L2`)
    return { [option]: l1l2({ l1: l1 as number, l2: l2 as number }) }
  }

  get name(): string {
    const { name } = this.values
    if (typeof name !== 'string') throw this.error('it has no name')
    return name
  }

  get trainable(): boolean {
    return this.values.trainable !== false
  }

  /** The shape of one example, if it is said. */
  get inputShape(): readonly (number | null)[] | undefined {
    const shape = this.values.batch_input_shape ?? this.values.batch_shape
    if (shape === undefined || shape === null) return undefined
    if (!Array.isArray(shape) || shape.length === 0) throw this.error(`the shape of its input is ${show(shape)}`)
    return shape.slice(1)
  }

  /** Throws where an option is left that nobody has asked for. */
  finish(): void {
    for (const [key, value] of Object.entries(this.values)) {
      if (this.used.has(key) || harmless.has(key) || key.endsWith('_initializer')) continue
      // Constraints and penalties on outputs, which only matter if there are some.
      if (value === null) continue
      throw this.error(`the option ${key} ${show(value)} is not supported`)
    }
  }

  error(what: string): FormatError {
    return new FormatError(`${this.op}: ${this.label}: ${what}`)
  }
}
