// A model whose layers stand in a row.

import { rangeError, ShapeError, show, typeError } from '../errors.js'
import type { FloatDType } from '../initializers/initializer.js'
import { checkOptions } from '../initializers/options.js'
import { Layer } from '../layers/layer.js'
import { Module, type Output } from '../layers/module.js'
import { assignNames } from '../layers/naming.js'
import { checkExampleShape, isShape, type Shape } from '../layers/shape.js'
import { checkFloatDType, SymbolicTensor } from '../layers/symbolic.js'
import type { Tensor } from '../tensor/tensor.js'
import { Graph } from './graph.js'
import { Model } from './model.js'

export interface SequentialOptions {
  /** The first one gets the input. Default none: add them with `add`. */
  layers?: readonly Module[]
  /**
   * The shape of one example, without the batch. Without it, and without `inputShape` on the first layer, weights are
   * created when the first input comes.
   */
  inputShape?: readonly (number | null)[]
  /** Shown in errors. */
  name?: string
  /** What the weights are made of. float64 is slow and exact, meant for gradient checks. Default: that of the first input. */
  dtype?: FloatDType
}

/** A model whose layers stand in a row. Made by {@link sequential}. */
export class Sequential extends Model {
  private readonly row: Module[] = []
  private readonly declared: Shape | undefined
  private readonly wanted: FloatDType | undefined

  constructor(options: SequentialOptions = {}) {
    checkOptions('sequential', options, ['layers', 'inputShape', 'name', 'dtype'])
    super(options.name, undefined, false)
    const { layers = [], inputShape, dtype } = options
    this.declared = inputShape === undefined ? undefined : checkExampleShape(this.$label, 'inputShape', inputShape)
    this.wanted = dtype === undefined ? undefined : checkFloatDType(this.$label, dtype)
    if (!Array.isArray(layers)) throw typeError(`${this.$label}: layers must be an array. got ${show(layers)}`)
    for (const layer of layers) this.put(layer)
    if (options.layers !== undefined) this.extend()
  }

  override get kind(): string {
    return 'sequential'
  }

  override get layers(): readonly Module[] {
    return this.row
  }

  override getLayer(name: string): Module {
    return super.getLayer(name) as Module
  }

  /** Puts `layer` behind the others, and returns this model. */
  add(layer: Module): this {
    this.put(layer)
    try {
      this.extend()
    } catch (error) {
      this.row.pop()
      throw error
    }
    return this
  }

  private put(layer: Module): void {
    if (!(layer instanceof Module)) {
      throw typeError(`${this.$label}: layers must be layers or models. layer ${this.row.length} is ${show(layer)}`)
    }
    if (this.row.includes(layer)) {
      throw rangeError(
        `${this.$label}: ${layer.$label} is in it already. make a second layer, or share one in a graph: layer.apply(x)`,
      )
    }
    if ((layer.$everyModule() as readonly unknown[]).includes(this)) {
      throw rangeError(`${this.$label}: a model cannot be inside itself`)
    }
    assignNames(this.$label, [...this.row, layer])
    this.row.push(layer)
  }

  /** Connects what is not connected yet, if the input's shape is known. */
  private extend(): void {
    const shape = this.graph === undefined ? this.declaredInput() : this.graph.inputs[0]!.shape
    if (shape !== undefined) this.connectFrom(shape, this.wanted ?? 'float32')
  }

  private declaredInput(): Shape | undefined {
    const [first] = this.row
    if (this.declared !== undefined) return this.declared
    if (first instanceof Layer) return first.$declaredShape
    return first instanceof Model && isOne(first.inputShape) ? first.inputShape : undefined
  }

  private connectFrom(shape: Shape, dtype: FloatDType): void {
    if (this.row.length === 0) return
    const x = this.graph?.inputs[0] ?? new SymbolicTensor(shape, dtype, undefined, undefined)
    let y = this.graph?.outputs[0] ?? x
    const fresh: Module[] = []
    try {
      for (const layer of this.row.slice(this.graph?.modules.length ?? 0)) {
        if (!layer.built) fresh.push(layer)
        const next: unknown = layer.apply(y)
        if (!(next instanceof SymbolicTensor)) {
          throw new ShapeError(
            `${this.$label}: ${layer.$label} has several outputs, which need a graph: model({ inputs, outputs })`,
          )
        }
        y = next
      }
    } catch (error) {
      // So that an input of the right shape can still follow one of the wrong shape.
      for (const layer of fresh) layer.$reset()
      throw error
    }
    this.adoptGraph(new Graph(this.$label, [x], [y]))
  }

  /** @internal */
  override $reset(): void {
    if (this.declared !== undefined) return
    for (const layer of this.row) layer.$reset()
    this.graph = undefined
  }

  /** @internal */
  protected override checkInputs(inputs: readonly Tensor[]): void {
    const [x] = inputs
    if (this.graph === undefined && this.row.length > 0 && inputs.length === 1 && x!.shape.length > 0) {
      this.connectFrom([null, ...x!.shape.slice(1)], this.wanted ?? this.$dtypeFor(inputs))
    }
    super.checkInputs(inputs)
  }

  /** @internal */
  override $prepare(shape: Shape | readonly Shape[], dtype: FloatDType): void {
    if (this.graph === undefined && isShape(shape)) this.connectFrom(shape, this.wanted ?? dtype)
    super.$prepare(shape, dtype)
  }

  /** @internal */
  override $ownModules(): readonly Module<Output>[] {
    return this.row
  }
}

function isOne(shape: Shape | readonly Shape[] | undefined): shape is Shape {
  return shape !== undefined && isShape(shape)
}

/**
 * A model whose layers stand in a row: each gets what the one before returns.
 *
 * @example
 * ```ts
 * import { layers, sequential } from 'ferrograd'
 * const model = sequential({
 *   inputShape: [28, 28, 1],
 *   layers: [
 *     layers.conv2d({ filters: 8, kernelSize: 3, activation: 'relu', kernelInitializer: 'heNormal' }),
 *     layers.maxPool2d({ poolSize: 2 }),
 *     layers.flatten(),
 *     layers.dense({ units: 10 }),
 *   ],
 * })
 * console.log(model.outputShape, model.countParams()) // [ null, 10 ] 13610
 * ```
 */
export function sequential(options: SequentialOptions = {}): Sequential {
  return new Sequential(options)
}
