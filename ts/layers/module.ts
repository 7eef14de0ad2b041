// What layers and models share: a name, weights, and that they can be applied.

import { noGrad } from '../autograd/record.js'
import type { Constraint } from '../constraints/constraint.js'
import { DTypeError, ShapeError, show, typeError } from '../errors.js'
import type { FloatDType } from '../initializers/initializer.js'
import type { Algorithms } from '../ops/conv2d.js'
import { add } from '../ops/index.js'
import type { Regularizer } from '../regularizers/regularizer.js'
import type { TypedArray } from '../tensor/dtype.js'
import { isFloat } from '../tensor/dtype.js'
import { scope } from '../tensor/scope.js'
import { checkTensor, type NestedArray, type Tensor } from '../tensor/tensor.js'
import type { Variable } from '../tensor/variable.js'
import { errorIn } from './error-in.js'
import { isShape, type Shape } from './shape.js'
import { Call, SymbolicTensor } from './symbolic.js'
import { copyWeights, replaceWeights } from './weights.js'

/** What flows out: one tensor, or an array of them. */
export type Output = Tensor | Tensor[]
/** What a module with that output gives for symbolic tensors. */
export type SymbolicOf<Out extends Output> = Out extends Tensor[] ? SymbolicTensor[] : SymbolicTensor
/** The shape of that output, or the shapes. */
export type ShapeOf<Out extends Output> = Out extends Tensor[] ? readonly Shape[] : Shape

export interface ForwardOptions {
  /** Whether dropout drops and batch normalisation uses the batch's statistics. Default false. */
  training?: boolean
}

/** @internal A variable and what its layer wants of it. */
export interface Weight {
  readonly key: string
  readonly variable: Variable
  /** Whether it learns when its layer does. */
  readonly learns: boolean
  readonly regularizer: Regularizer | undefined
  readonly constraint: Constraint | undefined
}

/**
 * A layer or a model. Not meant to be extended: extend `Layer`. Names with $ or # are for the library alone, so that a
 * layer of one's own may use any other for itself.
 */
export abstract class Module<Out extends Output = Tensor> {
  #given: string | undefined
  #learns = true

  /** @internal */
  constructor(name: string | undefined) {
    this.#given = name
  }

  /** Which kind of layer: 'conv2d'. */
  abstract get kind(): string

  /** The given name, or the one that its model chose: kind and number. The kind alone while it is in no model. */
  get name(): string {
    return this.#given ?? this.kind
  }

  /** @internal Kind and name as errors show them. */
  get $label(): string {
    return this.#given === undefined ? this.kind : `${this.kind} "${this.#given}"`
  }

  /** @internal Whether it has a name of its own. */
  get $isNamed(): boolean {
    return this.#given !== undefined
  }

  /** @internal */
  $assignName(name: string): void {
    this.#given = name
    for (const { key, variable } of this.$ownWeights()) rename(variable, `${name}/${key}`)
  }

  /** @internal Creates the weights for inputs of this shape, or checks that those there are fit it. */
  abstract $prepare(shape: Shape | readonly Shape[], dtype: FloatDType): void
  /** @internal The output's shape for inputs that {@link prepare} has seen. */
  abstract $infer(shape: Shape | readonly Shape[]): Shape | readonly Shape[]
  /** @internal Computes, without checking shapes. */
  abstract $run(x: Tensor | Tensor[], training: boolean): Out
  /** @internal What it makes of what `below` makes of `x`, in one pass; undefined where there is none that pays. */
  $over(_below: Module<Output>, _x: Tensor | Tensor[]): Out | undefined {
    return undefined
  }
  /** @internal Whether {@link $over} does that for inputs of this shape, in batches of the usual size. */
  $joins(_below: Module<Output>, _shape: Shape | readonly Shape[]): boolean {
    return false
  }
  /** @internal Frees the weights, so that it can be built for another shape. */
  abstract $reset(): void
  /** @internal What `weights` begins with. */
  abstract $ownWeights(): readonly Weight[]
  /** @internal The modules inside, in order. */
  abstract $ownModules(): readonly Module<Output>[]
  /** @internal Elements that a forward pass keeps for the backward pass, per example; undefined where sizes are free. */
  abstract $kept(shape: Shape | readonly Shape[]): number | undefined
  /**
   * @internal Numbers that come out, per example, where they take memory of their own; inside a model those of all
   * its layers. Undefined where sizes are free.
   */
  abstract $volume(shape: Shape | readonly Shape[]): number | undefined
  /**
   * Floating-point operations of a forward pass, per example, a multiplication and an addition being 2; undefined where
   * sizes are free or it is unknown.
   */
  abstract flops(inputShape: Shape | readonly Shape[]): number | undefined
  /** @internal What its convolutions run by; undefined where there is nothing to choose. */
  $algorithms(_inputShape: Shape | readonly Shape[]): Algorithms | undefined {
    return undefined
  }

  /** Whether its weights exist. */
  abstract get built(): boolean

  /** @internal The dtype of weights that exist already. */
  abstract get $weightDType(): FloatDType | undefined

  /**
   * Connects it to symbolic tensors, or computes on tensors right away. Its weights are created the first time.
   */
  apply(x: SymbolicTensor | readonly SymbolicTensor[]): SymbolicOf<Out>
  apply(x: Tensor | readonly Tensor[], options?: ForwardOptions): Out
  apply(
    x: Tensor | SymbolicTensor | readonly Tensor[] | readonly SymbolicTensor[],
    options: ForwardOptions = {},
  ): Out | SymbolicOf<Out> {
    const list = Array.isArray(x)
    const inputs = (list ? x : [x]) as readonly (Tensor | SymbolicTensor)[]
    if (inputs.length === 0) throw typeError(`${this.$label}: needs at least one input. got []`)
    if (inputs.every((value) => value instanceof SymbolicTensor)) return this.#connect(inputs, list)
    for (const [i, value] of inputs.entries()) {
      if (value instanceof SymbolicTensor) {
        throw typeError(`${this.$label}: tensors and symbolic tensors cannot be mixed. x[${i}] is a ${value}`)
      }
      checkTensor(this.$label, list ? `x[${i}]` : 'x', value)
    }
    const tensors = inputs as readonly Tensor[]
    const { training = false } = options
    const shapes = tensors.map((tensor) => freeBatch(this.$label, tensor))
    this.$prepare(list ? shapes : shapes[0]!, this.$dtypeFor(tensors))
    return scope(() => this.$run(list ? [...tensors] : tensors[0]!, training))
  }

  #connect(inputs: readonly SymbolicTensor[], list: boolean): SymbolicOf<Out> {
    const { dtype } = inputs[0]!
    const other = inputs.find((x) => x.dtype !== dtype)
    if (other !== undefined) {
      throw new DTypeError(`${this.$label}: all inputs must have the same dtype. got ${dtype} and ${other.dtype}`)
    }
    const shape = list ? inputs.map((x) => x.shape) : inputs[0]!.shape
    this.$prepare(shape, dtype)
    const out = this.$infer(shape)
    const call = new Call(this as unknown as Module<Output>, inputs, list, isShape(out) ? [out] : out, dtype)
    return (isShape(out) ? call.outputs[0] : [...call.outputs]) as SymbolicOf<Out>
  }

  /** @internal What weights should be made of to meet these inputs. Integers, such as indices, meet any. */
  $dtypeFor(tensors: readonly Tensor[]): FloatDType {
    const float = tensors.find((x) => isFloat(x.dtype))
    return (float?.dtype as FloatDType | undefined) ?? this.$weightDType ?? 'float32'
  }

  /** Every variable, layer by layer: kernel before bias; gamma, beta, mean, variance. */
  get weights(): readonly Variable[] {
    return this.$everyWeight().map(({ variable }) => variable)
  }

  /** Those of `weights` that training changes: not the frozen ones, and no running statistics. */
  get trainableWeights(): readonly Variable[] {
    return this.weights.filter((variable) => variable.trainable)
  }

  /** @internal This module and all inside it, each once, outer ones first. */
  $everyModule(): readonly Module<Output>[] {
    const seen = new Set<Module<Output>>()
    const visit = (module: Module<Output>): void => {
      if (seen.has(module)) return
      seen.add(module)
      for (const inner of module.$ownModules()) visit(inner)
    }
    visit(this as unknown as Module<Output>)
    return [...seen]
  }

  /** @internal */
  $everyWeight(): readonly Weight[] {
    return this.$everyModule().flatMap((module) => module.$ownWeights())
  }

  /** @internal The modules inside by their paths, which no two share: `conv2d_1`, `block_1/conv2d_1`. */
  $namedModules(): ReadonlyMap<string, Module<Output>> {
    const named = new Map<string, Module<Output>>()
    const seen = new Set<Module<Output>>()
    const visit = (module: Module<Output>, path: string): void => {
      if (seen.has(module)) return
      seen.add(module)
      named.set(path, module)
      for (const inner of module.$ownModules()) visit(inner, path === '' ? inner.name : `${path}/${inner.name}`)
    }
    visit(this as unknown as Module<Output>, '')
    return named
  }

  /** @internal The weights by their paths, which no two share: `conv2d_1/kernel`, `block_1/conv2d_1/kernel`. */
  $namedWeights(): ReadonlyMap<string, Variable> {
    const named = new Map<string, Variable>()
    for (const [path, module] of this.$namedModules()) {
      for (const { key, variable } of module.$ownWeights()) named.set(path === '' ? key : `${path}/${key}`, variable)
    }
    return named
  }

  /** @internal What a file holds of it beside its weights. */
  abstract $describe(): unknown

  /** @internal How far a random sequence of its own has come, if it has one. */
  $drawn: number | undefined

  /** Whether training changes the weights. Setting it sets that of all layers inside. */
  get trainable(): boolean {
    return this.#learns
  }

  set trainable(value: boolean) {
    if (typeof value !== 'boolean')
      throw typeError(`${this.$label}: trainable must be true or false. got ${show(value)}`)
    this.#learns = value
    for (const { variable, learns } of this.$ownWeights()) variable.trainable = value && learns
    for (const module of this.$ownModules()) module.trainable = value
  }

  /**
   * What the regularizers add to the loss for the current weights: shape `[]`, recorded. Undefined without any.
   * Frozen weights do not count.
   */
  regularization(): Tensor | undefined {
    const regularized = this.$everyWeight().filter(({ regularizer, variable }) => regularizer && variable.trainable)
    if (regularized.length === 0) return undefined
    return scope(() =>
      regularized.map(({ regularizer, variable }) => regularizer!.penalty(variable)).reduce((a, b) => add(a, b)),
    )
  }

  /** Brings the weights back into what their constraints allow. `fit` does it after every step. */
  applyConstraints(): void {
    for (const { constraint, variable } of this.$everyWeight()) {
      if (constraint !== undefined && variable.trainable) {
        scope(() => noGrad(() => variable.assign(constraint.constrain(variable))))
      }
    }
  }

  /** How many numbers its weights hold, those that do not learn included. */
  countParams(): number {
    this.$checkBuilt('countParams')
    return this.weights.reduce((sum, { size }) => sum + size, 0)
  }

  /** Copies of the weights, in the order of `weights`. */
  getWeights(): Tensor[] {
    this.$checkBuilt('getWeights')
    return copyWeights(this.weights)
  }

  /**
   * Replaces the contents of all weights, in the order of `weights`. Typed arrays are read row by row. Checks
   * everything before it changes anything.
   */
  setWeights(values: readonly (Tensor | TypedArray | NestedArray)[]): void {
    this.$checkBuilt('setWeights')
    replaceWeights(this.$label, this.weights, values)
  }

  /** Frees the weights. It cannot be used any more. */
  dispose(): void {
    for (const variable of this.weights) variable.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  /** @internal Throws when the weights do not exist yet. */
  $checkBuilt(what: string): void {
    if (!this.built) {
      throw new ShapeError(
        `${this.$label}: ${what} needs the weights, which do not exist before the input's shape is known. give inputShape, or call it on data first`,
      )
    }
  }

  toString(): string {
    return this.$label
  }

  /** @internal Runs `fn` so that an error says in which layer it was. */
  $within<T>(fn: () => T): T {
    try {
      return fn()
    } catch (error) {
      throw errorIn(this.kind, this.$label, error)
    }
  }
}

/** The shape of `x` with its batch left free. */
function freeBatch(label: string, x: Tensor): Shape {
  if (x.shape.length === 0) {
    throw new ShapeError(`${label}: the input needs an axis for the batch. got shape []. reshape(x, [1, …]) adds one`)
  }
  return [null, ...x.shape.slice(1)]
}

function rename(variable: Variable, name: string): void {
  const renamed: { name: string } = variable
  renamed.name = name
}
