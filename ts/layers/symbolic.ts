// Tensors without contents: what layers are connected with before there is data.

import { show, typeError } from '../errors.js'
import type { FloatDType } from '../initializers/initializer.js'
import { checkChoice, checkOptions } from '../initializers/options.js'
import type { Module, Output } from './module.js'
import { checkExampleShape, type Shape, showFree } from './shape.js'

let calls = 0

/**
 * @internal One application of a layer. Numbers grow with time, so every call has a larger one than those that it
 * depends on.
 */
export class Call {
  readonly id = calls++
  readonly outputs: readonly SymbolicTensor[]

  constructor(
    readonly module: Module<Output>,
    readonly inputs: readonly SymbolicTensor[],
    /** Whether the inputs were given as an array, even of one. */
    readonly list: boolean,
    shapes: readonly Shape[],
    dtype: FloatDType,
  ) {
    this.outputs = shapes.map((shape) => new SymbolicTensor(shape, dtype, undefined, this))
  }
}

/** Stands for the tensor that will flow from one layer to the next. Made by {@link input} and by `layer.apply`. */
export class SymbolicTensor {
  /** @internal */
  constructor(
    /** With null for the batch. */
    readonly shape: Shape,
    /** What weights of layers that see it are made of. */
    readonly dtype: FloatDType,
    /** Of an input, if it was given. */
    readonly name: string | undefined,
    /** @internal Where it comes from; undefined for an input. */
    readonly call: Call | undefined,
  ) {}

  toString(): string {
    return `SymbolicTensor ${showFree(this.shape)}${this.call === undefined ? '' : ` of ${this.call.module.$label}`}`
  }
}

export interface InputOptions {
  /** Of one example, without the batch: `[28, 28, 1]`. null where a size is free. */
  shape: readonly (number | null)[]
  /** Shown in errors. */
  name?: string
  /** What the weights behind it are made of. float64 is slow and exact, meant for gradient checks. Default 'float32'. */
  dtype?: FloatDType
}

/**
 * The place where data will enter a graph of layers.
 *
 * @example
 * ```ts
 * import { input, layers, model } from 'ferrograd'
 * const x = input({ shape: [28, 28, 1] })
 * const features = layers.flatten().apply(x)
 * const net = model({ inputs: x, outputs: layers.dense({ units: 10 }).apply(features) })
 * console.log(net.outputShape) // [ null, 10 ]
 * ```
 */
export function input(options: InputOptions): SymbolicTensor {
  checkOptions('input', options, ['shape', 'name', 'dtype'])
  const { shape, name, dtype = 'float32' } = options
  const op = name === undefined ? 'input' : `input "${name}"`
  if (name !== undefined && typeof name !== 'string') throw typeError(`input: name must be a string. got ${show(name)}`)
  checkFloatDType(op, dtype)
  return new SymbolicTensor(checkExampleShape(op, 'shape', shape), dtype, name, undefined)
}

/** @internal Throws unless `value` is a dtype that weights can have. */
export function checkFloatDType(op: string, value: unknown): FloatDType {
  return checkChoice(op, 'dtype', value, ['float32', 'float64'])
}
