// Models of tf.js, sequential and functional, one inside another, made of our layers.

import { FormatError, show } from '../errors.js'
import type { Layer } from '../layers/layer.js'
import type { Module, Output } from '../layers/module.js'
import { input, type SymbolicTensor } from '../layers/symbolic.js'
import { inModule } from '../layers/weight-source.js'
import { Model, model } from '../models/model.js'
import { checkList, checkObject, checkText } from '../models/model-file.js'
import { sequential } from '../models/sequential.js'
import { type TfjsLayer, type TfjsSource, tfjsLayer } from './tfjs-layers.js'
import { callsOf, refsOf, type TfjsRef } from './tfjs-nodes.js'

/** Models that may be inside each other. */
const DEEPEST = 32

/** Builds a model. */
export class TfjsTopology {
  /** Where the weights are, by their paths in our model. */
  readonly sources = new Map<string, { source: TfjsSource; layer: string }>()
  /** What has been made. */
  readonly layers: Layer[] = []
  private readonly made = new Map<Module<Output>, TfjsLayer>()

  constructor(private readonly op: string) {}

  /** The model of a `modelTopology`. */
  build(topology: unknown): Model<Output> {
    const outer = checkObject(this.op, 'modelTopology', topology)
    const { model_config } = outer
    const built = this.model(model_config === undefined ? outer : model_config, [])
    this.checkAxes(built)
    return built
  }

  private model(value: unknown, path: readonly string[]): Model<Output> {
    const { op } = this
    if (path.length > DEEPEST) throw new FormatError(`${op}: models are more than ${DEEPEST} deep inside each other`)
    const { class_name: kind, config } = checkObject(op, 'a model', value)
    if (kind === 'Sequential') return this.sequential(config, path)
    if (kind === 'Model' || kind === 'Functional') return this.functional(config, path)
    throw new FormatError(`${op}: the model is of class ${show(kind)}, and known are Sequential, Model and Functional`)
  }

  private sequential(value: unknown, path: readonly string[]): Model<Output> {
    const { op } = this
    const config = Array.isArray(value) ? { layers: value } : checkObject(op, 'the config of a model', value)
    const items = checkList(op, 'the layers of a model', config.layers).map((item) => checkObject(op, 'a layer', item))
    const [first] = items
    const start = first?.class_name === 'InputLayer' ? 1 : 0
    const layers = items.slice(start).map((item) => this.part(item, path))
    const [head] = layers
    const said = first && declaredShape(first.config)
    const shape =
      said ?? (head instanceof Model ? (head.inputShape as readonly (number | null)[] | undefined) : undefined)
    const full = shape ?? (config.build_input_shape as unknown)
    if (!Array.isArray(full) || full.length === 0) {
      throw new FormatError(
        `${op}: ${named(config.name)} does not say the shape of its input. give its first layer inputShape`,
      )
    }
    return this.checked(named(config.name), () =>
      sequential({
        ...(typeof config.name === 'string' && { name: config.name }),
        inputShape: full.slice(1),
        layers: layers as Module[],
      }),
    ) as Model<Output>
  }

  /** A layer or a model inside. */
  private part(item: Readonly<Record<string, unknown>>, path: readonly string[]): Module<Output> {
    const { op } = this
    const kind = checkText(op, 'the class_name of a layer', item.class_name)
    if (kind === 'Sequential' || kind === 'Model' || kind === 'Functional') {
      const config = Array.isArray(item.config) ? {} : checkObject(op, 'the config of a model', item.config)
      const name = checkText(op, 'the name of a model inside another', config.name)
      return inModule(name, () => this.model(item, [...path, name]))
    }
    const made = tfjsLayer(op, kind, checkObject(op, 'the config of a layer', item.config))
    this.made.set(made.layer, made)
    this.layers.push(made.layer)
    const { name } = made.layer
    for (const [key, source] of Object.entries(made.sources)) {
      this.sources.set([...path, name, key].join('/'), { source, layer: name })
    }
    return made.layer
  }

  private functional(value: unknown, path: readonly string[]): Model<Output> {
    const { op } = this
    const config = checkObject(op, 'the config of a model', value)
    const items = checkList(op, 'the layers of a model', config.layers).map((item) => checkObject(op, 'a layer', item))
    const graph = new Connections(op)
    for (const item of items) {
      const layer = nameOf(op, item)
      if (item.class_name === 'InputLayer') graph.addInput(layer, this.input(layer, item.config))
      else graph.addLayer(layer, this.part(item, path), callsOf(op, layer, item.inbound_nodes))
    }
    return this.checked(named(config.name), () => {
      graph.connect()
      const inputs = refsOf(op, 'input_layers', config.input_layers).map((ref) => graph.at(ref))
      const outputs = refsOf(op, 'output_layers', config.output_layers).map((ref) => graph.at(ref))
      return model({
        ...(typeof config.name === 'string' && { name: config.name }),
        inputs: inputs.length === 1 ? inputs[0]! : inputs,
        outputs: outputs.length === 1 ? outputs[0]! : (outputs as unknown as SymbolicTensor),
      })
    }) as Model<Output>
  }

  private input(name: string, config: unknown): SymbolicTensor {
    const shape = declaredShape(checkObject(this.op, `the config of input ${show(name)}`, config))
    if (shape === undefined) throw new FormatError(`${this.op}: input ${show(name)} does not say its shape`)
    return this.checked(`input ${show(name)}`, () => input({ name, shape: shape.slice(1) }))
  }

  /** What our layers and models find wrong is wrong in the file. */
  private checked<T>(what: string, make: () => T): T {
    try {
      return make()
    } catch (error) {
      // A layer puts its own name in front of what is wrong with its weights.
      if (error instanceof FormatError && !error.message.startsWith(this.op)) {
        throw new FormatError(`${this.op}: ${error.message}`, { cause: error })
      }
      if (error instanceof FormatError || !(error instanceof Error && 'code' in error)) throw error
      throw new FormatError(`${this.op}: ${what} cannot be built. ${error.message}`, { cause: error })
    }
  }

  /** Layers work along the last axis; which one that is, their inputs tell. */
  private checkAxes(built: Model<Output>): void {
    for (const { module, inputs } of built.$graph!.steps) {
      if (module instanceof Model) this.checkAxes(module)
      const { axis, label } = this.made.get(module) ?? {}
      if (axis === undefined) continue
      const { length } = built.$graph!.symbols[inputs[0]!]!.shape
      if (axis !== length - 1) {
        throw new FormatError(`${this.op}: ${label}: axis ${axis} is not supported, only the last one, ${length - 1}`)
      }
    }
  }
}

/** The layers of a functional model, and the tensors between them. */
class Connections {
  private readonly tensors = new Map<string, readonly SymbolicTensor[]>()
  private readonly names = new Set<string>()
  private readonly calls: { layer: string; module: Module<Output>; node: number; refs: readonly TfjsRef[] }[] = []
  /** Nested models, which are counted from their second call where the first is their own. */
  private readonly models = new Set<string>()
  private shifted = true

  constructor(private readonly op: string) {}

  addInput(layer: string, tensor: SymbolicTensor): void {
    this.claim(layer)
    this.tensors.set(key(layer, 0), [tensor])
  }

  addLayer(layer: string, module: Module<Output>, calls: readonly (readonly TfjsRef[])[]): void {
    this.claim(layer)
    if (module instanceof Model) this.models.add(layer)
    for (const [node, refs] of calls.entries()) this.calls.push({ layer, module, node, refs })
  }

  /** Calls every layer as soon as its inputs are there. */
  connect(): void {
    const refs = this.calls.flatMap(({ refs }) => refs)
    this.shifted = !refs.some(({ layer, node }) => this.models.has(layer) && node === 0)
    for (let left = this.calls; left.length > 0; ) {
      const waiting = left.filter(({ layer, module, node, refs }) => {
        const inputs = refs.map((ref) => this.found(ref))
        if (inputs.some((tensor) => tensor === undefined)) return true
        const x = inputs as SymbolicTensor[]
        if (x.length === 0) throw new FormatError(`${this.op}: layer ${show(layer)} is called without inputs`)
        const y: unknown = module.apply(x.length === 1 ? x[0]! : x)
        this.tensors.set(key(layer, node), (Array.isArray(y) ? y : [y]) as SymbolicTensor[])
        return false
      })
      if (waiting.length === left.length) {
        const { layer, refs } = waiting[0]!
        const missing = refs.find((ref) => this.found(ref) === undefined)!
        throw new FormatError(`${this.op}: layer ${show(layer)} waits for ${shown(missing)}, which does not come`)
      }
      left = waiting
    }
  }

  at(ref: TfjsRef): SymbolicTensor {
    const tensor = this.found(ref)
    if (tensor === undefined) throw new FormatError(`${this.op}: there is no ${shown(ref)}`)
    return tensor
  }

  private found({ layer, node, output }: TfjsRef): SymbolicTensor | undefined {
    const call = this.models.has(layer) && this.shifted ? node - 1 : node
    return this.tensors.get(key(layer, call))?.[output]
  }

  private claim(layer: string): void {
    if (this.names.has(layer)) throw new FormatError(`${this.op}: two layers are called ${show(layer)}`)
    this.names.add(layer)
  }
}

const key = (layer: string, node: number) => `${node} ${layer}`

function shown({ layer, node, output }: TfjsRef): string {
  return `output ${output} of call ${node} of layer ${show(layer)}`
}

function named(name: unknown): string {
  return typeof name === 'string' ? `model ${show(name)}` : 'the model'
}

function nameOf(op: string, item: Readonly<Record<string, unknown>>): string {
  return checkText(op, 'the name of a layer', item.name ?? (item.config as { name?: unknown } | undefined)?.name)
}

/** The shape of an input with the batch, if it is said. */
function declaredShape(config: unknown): readonly (number | null)[] | undefined {
  const { batch_input_shape, batch_shape } = (config ?? {}) as Readonly<Record<string, unknown>>
  const shape = batch_input_shape ?? batch_shape
  return Array.isArray(shape) && shape.length > 0 ? shape : undefined
}
