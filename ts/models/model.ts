// A network of layers: what is trained, asked and saved.

import { DTypeError, ShapeError, show, typeError } from '../errors.js'
import type { FloatDType } from '../initializers/initializer.js'
import { checkBoolean, checkOptions, listed } from '../initializers/options.js'
import type { ForwardOptions, Module, Output, ShapeOf, Weight } from '../layers/module.js'
import { assignNames, checkName } from '../layers/naming.js'
import { fitsShape, isShape, type Shape, showFree } from '../layers/shape.js'
import type { SymbolicTensor } from '../layers/symbolic.js'
import { withPrecision } from '../ops/precision.js'
import { checkTensor, type Tensor } from '../tensor/tensor.js'
import { checkGraphInputs } from './check-inputs.js'
import type { ModelDescription } from './description.js'
import { Graph, type Step } from './graph.js'
import { printSummary, type SummaryOptions } from './summary.js'
import { TrainedModel } from './trained-model.js'

/**
 * Layers between inputs and outputs. Made by {@link model} and {@link sequential}; it can itself stand where a layer
 * can. `Out` is `Tensor[]` for a model of several outputs.
 */
export class Model<Out extends Output = Tensor> extends TrainedModel<Out> {
  /** @internal Undefined as long as the input's shape is unknown. */
  protected graph: Graph | undefined
  private madeOf: FloatDType | undefined
  /** @internal Whether `forward` returns an array. */
  readonly several: boolean

  /** @internal */
  constructor(name: string | undefined, graph: Graph | undefined, several: boolean) {
    super(checkName('model', name))
    this.several = several
    if (graph !== undefined) this.adoptGraph(graph)
  }

  /** @internal */
  protected adoptGraph(graph: Graph): void {
    assignNames(this.$label, graph.modules)
    this.graph = graph
    this.madeOf = graph.inputs[0]!.dtype
  }

  /** @internal How the layers are connected. Undefined as long as the input's shape is unknown. */
  get $graph(): Graph | undefined {
    return this.graph
  }

  /** @internal */
  get $outputCount(): number | undefined {
    return this.graph?.outputs.length
  }

  get kind(): string {
    return 'model'
  }

  /** The layers and models inside, each once, in the order in which they were connected. */
  get layers(): readonly Module<Output>[] {
    return this.$ownModules()
  }

  /** The layer called `name`. */
  getLayer(name: string): Module<Output> {
    const found = this.layers.find((layer) => layer.name === name)
    if (found === undefined) {
      throw typeError(
        `${this.$label}: there is no layer ${show(name)}. its layers are ${listed(this.layers.map((layer) => layer.name)) || 'none'}`,
      )
    }
    return found
  }

  /** With null for the batch; one shape for each input where there are several. Undefined as long as it is unknown. */
  get inputShape(): Shape | readonly Shape[] | undefined {
    const shapes = this.graph?.inputs.map(({ shape }) => shape)
    return shapes?.length === 1 ? shapes[0] : shapes
  }

  /** With null for the batch; one shape for each output where there are several. Undefined as long as it is unknown. */
  get outputShape(): ShapeOf<Out> | undefined {
    const shapes = this.graph?.outputs.map(({ shape }) => shape)
    return (this.several ? shapes : shapes?.[0]) as ShapeOf<Out> | undefined
  }

  /** What the weights are made of. */
  get dtype(): FloatDType {
    return this.madeOf ?? 'float32'
  }

  /**
   * Computes the outputs, recorded for `backward`. It only queues the work. A model of several inputs takes an array.
   *
   * Throws a {@link ShapeError} that names the first layer when `x` does not fit.
   *
   * @example
   * ```ts
   * import { layers, sequential, tensor } from 'ferrograd'
   * const model = sequential({ inputShape: [2], layers: [layers.dense({ units: 1, kernelInitializer: 'ones' })] })
   * console.log(await model.forward(tensor([[1, 2]])).array()) // [ [ 3 ] ]
   * ```
   */
  forward(x: Tensor | readonly Tensor[], options: ForwardOptions = {}): Out {
    checkOptions(`${this.$label}: forward`, options, ['training'])
    const { training = false } = options
    if (typeof training !== 'boolean') {
      throw typeError(`${this.$label}: training must be true or false. got ${show(training)}`)
    }
    const inputs = Array.isArray(x) ? (x as readonly Tensor[]) : [x as Tensor]
    inputs.forEach((tensor, i) => {
      checkTensor(this.$label, inputs.length === 1 ? 'x' : `x[${i}]`, tensor)
    })
    this.checkInputs(inputs)
    return withPrecision(this.$compiled?.precision, () => this.result(this.graph!.run(inputs, training)))
  }

  /** @internal Throws unless `inputs` fit; a model that waits for its first input is built for them. */
  protected checkInputs(inputs: readonly Tensor[]): void {
    const { $label: label, graph } = this
    if (graph === undefined) throw typeError(`${label}: has no layers. put some in with add(layer)`)
    checkGraphInputs(label, graph, this.dtype, inputs)
  }

  /** @internal */
  $describe(): ModelDescription {
    this.$checkBuilt('saving')
    const { modules, inputs, steps, results } = this.graph!
    const places = new Map(modules.map((module, i) => [module, i]))
    return {
      kind: this.kind as ModelDescription['kind'],
      ...(this.$isNamed && { name: this.name }),
      dtype: this.dtype,
      inputs: inputs.map(({ shape, name }) => ({ shape, ...(name !== undefined && { name }) })),
      layers: modules.map((module) => module.$describe() as ModelDescription['layers'][number]),
      calls: steps.map((step) => ({
        layer: places.get(step.module)!,
        inputs: step.inputs,
        outputs: step.outputs,
        list: step.list,
      })),
      outputs: results,
      several: this.several,
    }
  }

  private result(outputs: Tensor[]): Out {
    return (this.several ? outputs : outputs[0]) as Out
  }

  /**
   * Prints a line for each call of a layer: the shape of its output, the numbers in that volume (activations), parameters
   * and forward FLOPs, where a multiplication and an addition are 2; then totals and the memory that training takes.
   *
   * Activations are what a forward pass makes, each output counted once: an activation inside a layer adds nothing, and
   * neither do flatten, reshape and dropout, which (outside training) hand on what they get. The rows of VGG-16 are those
   * of the course's table, and with the image they add up to 15,237,608 numbers, 61 MB for an image; the total of 24M
   * numbers and 93 MB that the course prints is not the sum of its rows. Training keeps a little more, such as where
   * maxima were, and needs the gradients besides.
   *
   * With `{ explain: true }` a column says which algorithm convolutions run by: see {@link SummaryOptions.explain}.
   *
   * @example
   * ```ts
   * import { layers, models, sequential } from 'ferrograd'
   * models.linearClassifier({ inputShape: [32, 32, 3], classes: 10 }).summary((line) => console.log(line))
   * console.log('done') // done
   *
   * const conv = layers.conv2d({ filters: 64, kernelSize: 3, padding: 'same' })
   * const lines: string[] = []
   * sequential({ inputShape: [32, 32, 64], layers: [conv] }).summary((line) => lines.push(line), { explain: true })
   * console.log(lines[3]!.trim().split(/ {2,}/).at(-1)) // winograd4
   * ```
   */
  summary(print: (line: string) => void = console.log, options: SummaryOptions = {}): void {
    if (typeof print !== 'function') throw typeError(`${this.$label}: print must be a function. got ${show(print)}`)
    checkOptions(`${this.$label}: summary`, options, ['explain'])
    const explain = checkBoolean(`${this.$label}: summary`, 'explain', options.explain ?? false)
    this.$checkBuilt('summary')
    withPrecision(this.$compiled?.precision, () =>
      printSummary(this as unknown as Model<Output>, this.graph!, print, explain),
    )
  }

  get built(): boolean {
    return this.graph !== undefined
  }

  /** @internal */
  get $weightDType(): FloatDType | undefined {
    return this.madeOf
  }

  /** @internal */
  $prepare(shape: Shape | readonly Shape[], dtype: FloatDType): void {
    const { $label: label, graph } = this
    if (graph === undefined) throw typeError(`${label}: has no layers. put some in with add(layer)`)
    const shapes = isShape(shape) ? [shape] : shape
    if (dtype !== this.dtype) {
      throw new DTypeError(
        `${label}: its weights are ${this.dtype}, but the input is ${dtype}. give both the same dtype`,
      )
    }
    if (shapes.length !== graph.inputs.length || !shapes.every((one, i) => fitsShape(one, graph.inputs[i]!.shape))) {
      throw new ShapeError(
        `${label}: takes inputs of shape ${graph.inputs.map((x) => showFree(x.shape)).join(', ')}. got ${shapes.map(showFree).join(', ')}`,
      )
    }
  }

  /** @internal A graph cannot be built again: its layers keep their weights. */
  $reset(): void {}

  /** @internal */
  $infer(shape: Shape | readonly Shape[]): Shape | readonly Shape[] {
    const shapes = this.graph!.infer(isShape(shape) ? [shape] : shape)
    return this.several ? shapes : shapes[0]!
  }

  /** @internal */
  $run(x: Tensor | Tensor[], training: boolean): Out {
    const inputs = Array.isArray(x) ? x : [x]
    this.checkInputs(inputs)
    return withPrecision(this.$compiled?.precision, () => this.result(this.graph!.run(inputs, training)))
  }

  /** @internal */
  $ownWeights(): readonly Weight[] {
    return []
  }

  /** @internal */
  $ownModules(): readonly Module<Output>[] {
    return this.graph?.modules ?? []
  }

  /** @internal */
  $kept(shape: Shape | readonly Shape[]): number | undefined {
    return this.total(shape, (module, x, step) => (step.reader?.module.$joins(module, x) ? 0 : module.$kept(x)))
  }

  /** @internal */
  $volume(shape: Shape | readonly Shape[]): number | undefined {
    return this.total(shape, (module, x) => module.$volume(x))
  }

  flops(inputShape: Shape | readonly Shape[]): number | undefined {
    return this.total(inputShape, (module, x) => module.flops(x))
  }

  private total(
    shape: Shape | readonly Shape[],
    count: (module: Module<Output>, shape: Shape | readonly Shape[], step: Step) => number | undefined,
  ): number | undefined {
    this.$checkBuilt('counting')
    const at = this.graph!.inferAll(isShape(shape) ? [shape] : shape)
    let sum = 0
    for (const step of this.graph!.steps) {
      const { module, inputs, list } = step
      const part = count(module, list ? inputs.map((place) => at[place]!) : at[inputs[0]!]!, step)
      if (part === undefined) return undefined
      sum += part
    }
    return sum
  }
}

export interface ModelOptions<Outputs extends SymbolicTensor | readonly SymbolicTensor[]> {
  /** From `input`. */
  inputs: SymbolicTensor | readonly SymbolicTensor[]
  /** From `layer.apply`. An array makes a model whose `forward` returns an array. */
  outputs: Outputs
  /** Shown in errors. */
  name?: string
}

/**
 * A model of any graph of layers without circles: with branches, shared layers, several inputs and several outputs.
 *
 * @example
 * ```ts
 * import { input, layers, model } from 'ferrograd'
 * const x = input({ shape: [32, 32, 3] })
 * const y = layers.conv2d({ filters: 3, kernelSize: 3, padding: 'same', activation: 'relu' }).apply(x)
 * const sum = layers.add().apply([x, y])
 * const net = model({ inputs: x, outputs: layers.globalAvgPool2d().apply(sum) })
 * console.log(net.outputShape, net.countParams()) // [ null, 3 ] 84
 * ```
 */
export function model(options: ModelOptions<SymbolicTensor>): Model
export function model(options: ModelOptions<readonly SymbolicTensor[]>): Model<Tensor[]>
export function model(options: ModelOptions<SymbolicTensor | readonly SymbolicTensor[]>): Model | Model<Tensor[]> {
  checkOptions('model', options, ['inputs', 'outputs', 'name'])
  const { inputs, outputs, name } = options
  const label = checkName('model', name) === undefined ? 'model' : `model "${name}"`
  const list = (value: SymbolicTensor | readonly SymbolicTensor[]) =>
    (Array.isArray(value) ? [...value] : [value]) as readonly SymbolicTensor[]
  const graph = new Graph(label, list(inputs), list(outputs))
  return Array.isArray(outputs) ? new Model<Tensor[]>(name, graph, true) : new Model<Tensor>(name, graph, false)
}
