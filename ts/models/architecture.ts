// A model as plain data and back, without its weights.

import { FormatError, show } from '../errors.js'
import { oneOf } from '../initializers/options.js'
import type { LayerConfig } from '../layers/config.js'
import * as factories from '../layers/index.js'
import type { Layer } from '../layers/layer.js'
import { Module, type Output } from '../layers/module.js'
import { checkExampleShape } from '../layers/shape.js'
import { checkFloatDType, SymbolicTensor } from '../layers/symbolic.js'
import { inModule } from '../layers/weight-source.js'
import type { ModelDescription } from './description.js'
import { Graph } from './graph.js'
import { Model } from './model.js'
import { Sequential } from './sequential.js'

/** Makes a layer of the user's own from its `config()`, by kind. */
export type LayerFactories = Readonly<Record<string, (config: LayerConfig) => Layer>>

/** `model` as data that JSON can hold. */
export function describeModel(model: Model<Output>): ModelDescription {
  return model.$describe()
}

/**
 * The model that `description` describes, from a file and therefore checked. Kinds that this library does
 * not have are made by `own`. Throws a {@link FormatError} where the description makes no sense.
 */
export function modelFrom(description: unknown, own: LayerFactories = {}): Model<Output> {
  try {
    return rebuild(description, own, 0)
  } catch (error) {
    if (error instanceof FormatError) throw error
    if (!(error instanceof Error && 'code' in error)) throw error
    throw new FormatError(`the architecture in the file makes no model. ${error.message}`, { cause: error })
  }
}

const byKind: LayerFactories = Object.fromEntries(
  Object.entries(factories).filter(([, value]) => typeof value === 'function'),
) as unknown as LayerFactories

function rebuild(value: unknown, own: LayerFactories, depth: number): Model<Output> {
  if (depth > 32) throw wrong('models more than 32 deep inside each other')
  const description = object(value, 'a model')
  const { kind, name } = description
  const dtype = checkFloatDType('model', description.dtype)
  if (kind !== 'model' && kind !== 'sequential') throw wrong(`a model of kind ${show(kind)}`)
  if (name !== undefined && typeof name !== 'string') throw wrong(`the name ${show(name)}`)
  const inputs = list(description.inputs, 'inputs').map((one) => {
    const { shape, name } = object(one, 'an input')
    if (!Array.isArray(shape) || (name !== undefined && typeof name !== 'string')) throw wrong('an input')
    return new SymbolicTensor(checkExampleShape('model', 'an input', shape.slice(1)), dtype, name, undefined)
  })
  const layers = list(description.layers, 'layers').map((one) => rebuildPart(one, own, depth))
  if (kind === 'sequential') {
    if (inputs.length !== 1) throw wrong(`a sequential model with ${inputs.length} inputs`)
    return new Sequential({
      layers: layers as Module[],
      dtype,
      inputShape: inputs[0]!.shape.slice(1),
      ...(name !== undefined && { name }),
    })
  }
  const places: SymbolicTensor[] = [...inputs]
  for (const one of list(description.calls, 'calls')) {
    const call = object(one, 'a call')
    const layer = layers[index(call.layer)]
    if (layer === undefined) throw wrong(`layer ${show(call.layer)}`)
    const x = list(call.inputs, 'the inputs of a call').map((place) => at(places, place))
    const y: unknown = layer.apply(call.list === true ? x : at(x, 0))
    const produced = (Array.isArray(y) ? y : [y]) as SymbolicTensor[]
    const outputs = list(call.outputs, 'the outputs of a call').map(index)
    if (outputs.length !== produced.length) throw wrong(`${outputs.length} outputs of ${layer.$label}`)
    outputs.forEach((place, i) => {
      if (place > places.length) throw wrong(`tensor ${place}`)
      places[place] ??= produced[i]!
    })
  }
  const outputs = list(description.outputs, 'outputs').map((place) => at(places, place))
  if (description.several !== true && outputs.length !== 1) throw wrong(`${outputs.length} outputs`)
  return new Model<Output>(name, new Graph('model', inputs, outputs), description.several === true)
}

function rebuildPart(value: unknown, own: LayerFactories, depth: number): Module<Output> {
  const { kind, name, config, own: mine } = object(value, 'a layer')
  if (typeof kind !== 'string') throw wrong(`a layer of kind ${show(kind)}`)
  if (config === undefined) {
    const inner = () => rebuild(value, own, depth + 1)
    return typeof name === 'string' ? inModule(name, inner) : inner()
  }
  const make = Object.hasOwn(own, kind)
    ? own[kind]
    : mine !== true && Object.hasOwn(byKind, kind)
      ? byKind[kind]
      : undefined
  if (make === undefined) {
    throw wrong(
      `a layer of kind ${show(kind)}. pass a function that makes it: { layers: { ${kind}: (config) => new … } }. kinds of this library are ${oneOf(Object.keys(byKind))}`,
    )
  }
  const layer: unknown = make(object(config, 'the options of a layer'))
  if (!(layer instanceof Module)) throw wrong(`a layer of kind ${show(kind)}: its function returned ${show(layer)}`)
  return layer as Module<Output>
}

function object(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(`${what}: got ${show(value)}`)
  return value as Record<string, unknown>
}

function list(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw wrong(`${what}: got ${show(value)}`)
  return value
}

function index(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw wrong(`the number ${show(value)}`)
  return value
}

function at(places: readonly SymbolicTensor[], place: unknown): SymbolicTensor {
  const tensor = places[index(place)]
  if (tensor === undefined) throw wrong(`tensor ${show(place)}`)
  return tensor
}

function wrong(what: string): FormatError {
  return new FormatError(`the architecture in the file cannot be: ${what}`)
}
