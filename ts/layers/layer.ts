// The class that every layer extends, users' own included.

import { noGrad } from '../autograd/record.js'
import { type ConstraintOption, resolveConstraint } from '../constraints/constraint.js'
import { DTypeError, rangeError, ShapeError, show, typeError } from '../errors.js'
import type { FloatDType } from '../initializers/initializer.js'
import { checkBoolean } from '../initializers/options.js'
import { type InitializerOption, resolveInitializer } from '../initializers/resolve.js'
import { type RegularizerOption, resolveRegularizer } from '../regularizers/regularizer.js'
import { scope } from '../tensor/scope.js'
import { checkShape, sameShape, showShape } from '../tensor/shape.js'
import { checkTensor, Tensor } from '../tensor/tensor.js'
import { type Variable, variable } from '../tensor/variable.js'
import { type LayerConfig, type LayerDescription, plainConfig } from './config.js'
import { errorIn } from './error-in.js'
import { Module, type Output, type ShapeOf, type Weight } from './module.js'
import { assignNames, checkName } from './naming.js'
import { checkExampleShape, exampleSize, fitsShape, isShape, type Shape, showFree } from './shape.js'
import { inModule, sourcedValues } from './weight-source.js'

/** What every layer takes. */
export interface LayerOptions {
  /** Shown in errors, summaries and files. Default: the kind and a number, counted within the model. */
  name?: string
  /** Whether training changes the weights. Default true. */
  trainable?: boolean
  /** The shape of one example, without the batch. Of use on the first layer of a sequential model. */
  inputShape?: readonly (number | null)[]
}

export interface WeightOptions {
  /** Whether it learns when the layer does. Default true. */
  trainable?: boolean
  regularizer?: RegularizerOption | undefined
  constraint?: ConstraintOption | undefined
}

/**
 * A layer. Extend it to make your own: `build` creates the weights once the input's shape is known (the batch comes
 * first and is null), `forward` computes, and `outputShape` says what shape comes out, if another one does.
 *
 * @example
 * ```ts
 * import { Layer, mul, sequential, type Shape, type Tensor, tensor, type Variable } from 'ferrograd'
 *
 * class Scale extends Layer {
 *   factor!: Variable
 *   override build(inputShape: Shape) {
 *     this.factor = this.addWeight('factor', [inputShape.at(-1)!], 'ones')
 *   }
 *   override forward(x: Tensor) {
 *     return mul(x, this.factor)
 *   }
 * }
 *
 * const model = sequential({ inputShape: [3], layers: [new Scale()] })
 * model.setWeights([[1, 2, 3]])
 * console.log(await model.forward(tensor([[1, 1, 1]])).array()) // [ [ 1, 2, 3 ] ]
 * ```
 */
export abstract class Layer<Out extends Output = Tensor> extends Module<Out> {
  /** @internal The batch's place is null. */
  readonly $declaredShape: Shape | undefined
  readonly #options: LayerOptions
  readonly #own: Weight[] = []
  readonly #inner: Module<Output>[] = []
  #state: 'new' | 'building' | 'built' = 'new'
  #builtFor: Shape | readonly Shape[] | undefined
  #madeOf: FloatDType | undefined

  constructor(options: LayerOptions = {}) {
    super(checkName('layer', options.name))
    this.#options = { ...options }
    const { trainable, inputShape } = options
    if (trainable !== undefined) this.trainable = checkBoolean(this.$label, 'trainable', trainable)
    this.$declaredShape =
      inputShape === undefined ? undefined : checkExampleShape(this.$label, 'inputShape', inputShape)
  }

  /** The class's name as an option would spell it: `class SqueezeExcite` is 'squeezeExcite'. */
  get kind(): string {
    const { name } = this.constructor
    return name === '' ? 'layer' : name[0]!.toLowerCase() + name.slice(1)
  }

  /** Creates the weights with `addWeight`, and inner layers with `addLayer`. Called once. */
  build(_inputShape: Shape | readonly Shape[]): void {}

  /** Computes the output. A layer of several inputs gets an array. Apply a layer with `apply`, which builds it first. */
  abstract forward(x: Tensor | Tensor[], options: { training: boolean }): Out

  /** The shape of the output for inputs of this shape. By default the same. Called after `build`. */
  outputShape(inputShape: Shape | readonly Shape[]): ShapeOf<Out> {
    return inputShape as ShapeOf<Out>
  }

  /** Floating-point operations of a forward pass for one example, shown by `summary`. Override it to have yours counted. */
  flops(_inputShape: Shape | readonly Shape[]): number | undefined {
    return undefined
  }

  /** Its options as plain data: what a file needs to make it again. Override it to add those of your own. */
  config(): LayerConfig {
    const { inputShape: _, ...options } = this.#options
    return { ...plainConfig(this.$label, options), name: this.name, trainable: this.trainable }
  }

  /** @internal */
  $describe(): LayerDescription {
    let owner: object = this
    while (!Object.hasOwn(owner, 'kind')) owner = Object.getPrototypeOf(owner)
    // A class of the user's may be called like one of ours.
    return { kind: this.kind, config: this.config(), ...(owner === Layer.prototype && { own: true }) }
  }

  /** Whether the weights exist. */
  get built(): boolean {
    return this.#state === 'built'
  }

  /** What the weights are made of. Known from `build` on. */
  get dtype(): FloatDType {
    return this.#madeOf ?? 'float32'
  }

  /** @internal */
  get $weightDType(): FloatDType | undefined {
    return this.#own.length > 0 || this.#inner.length > 0 ? this.#madeOf : undefined
  }

  /**
   * A new weight of this layer, for use in `build`. `weights` has it where it was added.
   */
  protected addWeight(
    name: string,
    shape: readonly (number | null)[],
    initializer: InitializerOption,
    options: WeightOptions = {},
  ): Variable {
    if (this.#state !== 'building') {
      throw typeError(`${this.$label}: addWeight belongs in build, where the input's shape and dtype are known`)
    }
    const key = checkName(`${this.$label}: weight`, name) ?? ''
    if (this.#own.some((weight) => weight.key === key)) {
      throw rangeError(`${this.$label}: there is a weight ${show(name)} already`)
    }
    const op = `${this.$label}: weight ${show(key)}`
    const checked = checkShape(op, shape)
    const { trainable = true, regularizer, constraint } = options
    const start = resolveInitializer(op, 'the initializer', initializer)
    const made = scope(() => {
      const values = noGrad(() => sourcedValues(key, checked, this.dtype) ?? start.initialize(checked, this.dtype))
      checkTensor(op, 'what the initializer makes', values)
      if (!sameShape(values.shape, checked) || values.dtype !== this.dtype) {
        throw new ShapeError(
          `${op}: the initializer made ${values.dtype} ${showShape(values.shape)}. expected ${this.dtype} ${showShape(checked)}`,
        )
      }
      return variable(values, { name: `${this.name}/${key}`, trainable: trainable && this.trainable })
    })
    this.#own.push({
      key,
      variable: made,
      learns: trainable,
      regularizer: regularizer === undefined ? undefined : resolveRegularizer(op, 'regularizer', regularizer),
      constraint: constraint === undefined ? undefined : resolveConstraint(op, 'constraint', constraint),
    })
    return made
  }

  /**
   * Takes a layer or a model into this layer, for use in `build`: its weights become this layer's. `inputShape`, the
   * batch included, is what it will be applied to.
   */
  protected addLayer<M extends Module<Output>>(module: M, inputShape: Shape | readonly Shape[]): M {
    if (this.#state !== 'building') {
      throw typeError(`${this.$label}: addLayer belongs in build, where the input's shape and dtype are known`)
    }
    if (!(module instanceof Module)) throw typeError(`${this.$label}: addLayer expects a layer. got ${show(module)}`)
    if ((module.$everyModule() as readonly unknown[]).includes(this)) {
      throw rangeError(`${this.$label}: a layer cannot be inside itself`)
    }
    assignNames(this.$label, [...this.#inner, module])
    module.$prepare(inputShape, this.dtype)
    if (!this.trainable) module.trainable = false
    this.#inner.push(module)
    return module
  }

  /**
   * Whether weights that were built for inputs of one shape serve those of another as well. By default only the
   * batch may differ.
   */
  protected reusable(built: Shape | readonly Shape[], other: Shape | readonly Shape[]): boolean {
    if (this.#own.length === 0 && this.#inner.length === 0) return true
    if (isShape(built) !== isShape(other) || built.length !== other.length) return false
    if (isShape(built)) return fitsShape(other as Shape, built)
    return built.every((shape, i) => fitsShape((other as readonly Shape[])[i]!, shape))
  }

  /** @internal */
  $prepare(shape: Shape | readonly Shape[], dtype: FloatDType): void {
    if (this.#state === 'built') {
      if (this.$weightDType !== undefined && dtype !== this.$weightDType) {
        throw new DTypeError(
          `${this.$label}: its weights are ${this.$weightDType}, but the input is ${dtype}. give both the same dtype`,
        )
      }
      if (!this.reusable(this.#builtFor!, shape)) {
        throw new ShapeError(
          `${this.$label}: its weights were made for inputs of shape ${showAll(this.#builtFor!)} and do not fit ${showAll(shape)}. make a second layer`,
        )
      }
      return
    }
    if (this.#state === 'building') throw rangeError(`${this.$label}: a layer cannot be inside itself`)
    this.#state = 'building'
    this.#madeOf = dtype
    try {
      this.$within(() => inModule(this.name, () => this.build(shape)))
      this.#builtFor = shape
      this.#state = 'built'
    } finally {
      if (!this.built) this.$reset()
    }
  }

  /** @internal */
  $reset(): void {
    for (const { variable } of this.#own.splice(0)) variable.dispose()
    for (const module of this.#inner.splice(0)) module.$reset()
    this.#state = 'new'
  }

  /** @internal */
  $infer(shape: Shape | readonly Shape[]): Shape | readonly Shape[] {
    return this.$within(() => {
      const out: unknown = this.outputShape(shape)
      if (!Array.isArray(out) || out.length === 0) {
        throw typeError(`${this.$label}: outputShape must return a shape, batch first. got ${show(out)}`)
      }
      return out as Shape | readonly Shape[]
    })
  }

  /** @internal */
  $run(x: Tensor | Tensor[], training: boolean): Out {
    try {
      const y = this.forward(x, { training })
      if (y instanceof Tensor && !y.disposed) return y
      if (Array.isArray(y))
        for (const [i, item] of y.entries()) checkTensor(this.$label, `output ${i} of forward`, item)
      else checkTensor(this.$label, 'the result of forward', y)
      return y
    } catch (error) {
      throw errorIn(this.kind, this.$label, error)
    }
  }

  /** @internal */
  $ownWeights(): readonly Weight[] {
    return this.#own
  }

  /** @internal */
  $ownModules(): readonly Module<Output>[] {
    return this.#inner
  }

  /** @internal By default as much as comes out. */
  $kept(shape: Shape | readonly Shape[]): number | undefined {
    return this.$volume(shape)
  }

  /** @internal */
  $volume(shape: Shape | readonly Shape[]): number | undefined {
    const out = this.$infer(shape)
    return (isShape(out) ? [out] : out).reduce<number | undefined>((sum, one) => {
      const size = exampleSize(one)
      return sum === undefined || size === undefined ? undefined : sum + size
    }, 0)
  }
}

/** @internal One shape, or several in a row. */
export function showAll(shape: Shape | readonly Shape[]): string {
  return isShape(shape) ? showFree(shape) : shape.map(showFree).join(', ')
}
