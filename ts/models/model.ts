// A network of layers: what is trained, asked and saved.

import { DTypeError, ShapeError, show, typeError } from '../errors.js'
import type { FloatDType } from '../initializers/initializer.js'
import { checkOptions, listed } from '../initializers/options.js'
import type { FilePath } from '../io/file-path.js'
import { type ForwardOptions, Module, type Output, type ShapeOf, type Weight } from '../layers/module.js'
import { assignNames, checkName } from '../layers/naming.js'
import { fitsShape, isShape, type Shape, showFree } from '../layers/shape.js'
import type { SymbolicTensor } from '../layers/symbolic.js'
import type { Optimizer } from '../optimizers/optimizer.js'
import { Preprocessing } from '../preprocessing/preprocessing.js'
import { checkTensor, type Tensor } from '../tensor/tensor.js'
import type { BatchIterable } from '../training/batch-iterable.js'
import { type Compiled, type CompileOptions, checkCompiled, compile } from '../training/compile.js'
import { type EvaluateOptions, evaluate } from '../training/evaluate.js'
import { fit } from '../training/fit.js'
import type { FitOptions } from '../training/fit-options.js'
import type { Inputs } from '../training/inputs.js'
import type { History, Scores } from '../training/logs.js'
import { type PredictOptions, predict } from '../training/predict.js'
import { moveTo, type Position, positionOf } from '../training/progress.js'
import { type TrainOnBatchOptions, trainOnBatch } from '../training/train-on-batch.js'
import type { Trainable } from '../training/trainable.js'
import type { Values } from '../training/values.js'
import { checkGraphInputs } from './check-inputs.js'
import type { ModelDescription } from './description.js'
import { Graph } from './graph.js'
import { type SaveOptions, saveModel } from './save-model.js'
import { printSummary } from './summary.js'

/**
 * Layers between inputs and outputs. Made by {@link model} and {@link sequential}; it can itself stand where a layer
 * can. `Out` is `Tensor[]` for a model of several outputs.
 */
export class Model<Out extends Output = Tensor> extends Module<Out> {
  /** @internal Undefined as long as the input's shape is unknown. */
  protected graph: Graph | undefined
  private madeOf: FloatDType | undefined
  private compiled: Compiled | undefined
  /** Set to true, in a callback as a rule, it ends `fit` after the batch at hand. */
  stopTraining = false
  private prepared: Preprocessing | undefined
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
    return this.result(this.graph!.run(inputs, training))
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
   * Settles how the model is trained: `optimizer` and `loss` by name or as they are, and `metrics` to report. Compiling
   * again starts with a fresh optimizer and keeps the weights.
   *
   * Throws a `TypeError` that lists the names there are.
   *
   * @example
   * ```ts
   * import { layers, optimizers, sequential } from 'ferrograd'
   * const model = sequential({ inputShape: [4], layers: [layers.dense({ units: 3 })] })
   * model.compile({ optimizer: optimizers.adam({ learningRate: 0.01 }), loss: 'softmaxCrossEntropy', metrics: ['accuracy'] })
   * console.log(model.optimizer.learningRate) // 0.01
   * ```
   */
  compile(options: CompileOptions): void {
    this.compiled = compile(this.forTraining(), options)
  }

  /**
   * Writes the model into one safetensors file: the weights by their paths (`conv2d_1/kernel`), which Python's
   * `safetensors` reads too, and in the metadata the architecture; and what {@link loadModel} needs to go on training: the
   * optimizer with all that it keeps, loss, metrics, random numbers, the order of the data, and `position`.
   *
   * What is saved is the model at the moment of the call: training may go on at once, and a call while `fit` runs saves a
   * state between two batches. The file is replaced whole or not at all, as `saveTensors` does it, and read back
   * before it takes the place of the old one.
   *
   * Losses, metrics and layers of your own are named in the file, and have to be given when it is loaded. Rejects with a
   * `TypeError` for what no file can hold, such as a schedule of your own, and with an error that has the system's `code`
   * when it cannot be written.
   *
   * @example
   * ```ts
   * import { layers, loadModel, ones, sequential } from 'ferrograd'
   * import { tmpdir } from 'node:os'
   * const model = sequential({ inputShape: [2], layers: [layers.dense({ units: 1, kernelInitializer: 'ones' })] })
   * const path = `${tmpdir()}/model-${process.pid}.safetensors`
   * await model.save(path)
   * const copy = await loadModel(path)
   * console.log(await (await copy.predict(ones([1, 2]))).array()) // [ [ 2 ] ]
   * ```
   */
  async save(path: FilePath, options: SaveOptions = {}): Promise<void> {
    return saveModel(this as unknown as Model<Output>, path, options)
  }

  /**
   * Where training stands: the epoch and the batch that come next, both counted from 0. `fit` moves it, `save` keeps it, and
   * `fit` with `initialEpoch: model.position.epoch` goes on from there. Set it to go on elsewhere.
   */
  get position(): Position {
    return positionOf(this as unknown as Trainable)
  }

  set position(position: Position) {
    moveTo(this.$label, this as unknown as Trainable, position)
  }

  /**
   * Fitted preprocessing that belongs to the model, so that `save` keeps its statistics and whoever loads the model
   * transforms inputs as they were in training: `model.predict(model.preprocessing.transform(x))`. The model does not apply
   * it by itself. Undefined until it is set.
   *
   * Setting it throws a `TypeError` for preprocessing that has not been fitted.
   */
  get preprocessing(): Preprocessing | undefined {
    return this.prepared
  }

  set preprocessing(value: Preprocessing | undefined) {
    if (value !== undefined && !(value instanceof Preprocessing)) {
      throw typeError(`${this.$label}: preprocessing must be one of preprocessing.*. got ${show(value)}`)
    }
    if (value?.fitted === false) {
      throw typeError(`${this.$label}: preprocessing.${value.kind} has not been fitted. await fit(trainImages) first`)
    }
    this.prepared = value
  }

  /** @internal What `compile` has settled, if it was called. */
  get $compiled(): Compiled | undefined {
    return this.compiled
  }

  /** The optimizer that `compile` was given or made. */
  get optimizer(): Optimizer {
    checkCompiled('optimizer', this.forTraining(), this.compiled)
    return this.compiled.optimizer
  }

  /**
   * Trains on samples `x` with labels `y`, or on batches `{ xs, ys }` from an iterable, and resolves with the figures of
   * every epoch. The event loop stays free. {@link FitOptions} says what can be set.
   *
   * @example
   * ```ts
   * import { datasets, layers, sequential, setSeed } from 'ferrograd'
   * setSeed(1)
   * const { train } = datasets.spiral({ points: 50, classes: 3, seed: 1 })
   * const model = sequential({ inputShape: [2], layers: [layers.dense({ units: 3 })] })
   * model.compile({ optimizer: 'adam', loss: 'softmaxCrossEntropy' })
   * const { epoch, history } = await model.fit(train.images, train.labels, { epochs: 2, verbose: 0 })
   * console.log(epoch, history.loss.length) // [ 0, 1 ] 2
   * ```
   */
  async fit(x: Inputs, y: Values, options?: FitOptions): Promise<History>
  async fit(batches: BatchIterable, options?: FitOptions): Promise<History>
  async fit(x: Inputs | BatchIterable, y?: Values | FitOptions, options?: FitOptions): Promise<History> {
    return fit(this.forTraining(), this.compiled, x, y, options)
  }

  /** The loss, penalties included, and the metrics over all samples, exact whatever `batchSize` (default 32). */
  async evaluate(x: Inputs, y: Values, options?: EvaluateOptions): Promise<Scores>
  async evaluate(batches: BatchIterable): Promise<Scores>
  async evaluate(x: Inputs | BatchIterable, y?: Values, options?: EvaluateOptions): Promise<Scores> {
    return evaluate(this.forTraining(), this.compiled, x, y, options)
  }

  /** The predictions for all samples, `[samples, …]`, computed in batches of `batchSize` (default 32). */
  async predict(x: Inputs, options?: PredictOptions): Promise<Tensor> {
    return predict(this.forTraining(), x, options)
  }

  /** One step on all of these samples; resolves with its loss and metrics, as they were before the update. */
  async trainOnBatch(x: Inputs, y: Values, options?: TrainOnBatchOptions): Promise<Scores> {
    return trainOnBatch(this.forTraining(), this.compiled, x, y, options)
  }

  /** @internal The model as training takes it, and how it is compiled. */
  $training(op: string): { trainable: Trainable; compiled: Compiled } {
    const trainable = this.forTraining()
    checkCompiled(op, trainable, this.compiled)
    return { trainable, compiled: this.compiled }
  }

  /** The model as the training loop takes it: with one output. */
  private forTraining(): Trainable {
    if (this.several) {
      throw typeError(
        `${this.$label}: training takes a model of one output, and this one has ${this.graph?.outputs.length}. train it with forward, backward and an optimizer`,
      )
    }
    return this as unknown as Trainable
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
   * @example
   * ```ts
   * import { models } from 'ferrograd'
   * models.linearClassifier({ inputShape: [32, 32, 3], classes: 10 }).summary((line) => console.log(line))
   * console.log('done') // done
   * ```
   */
  summary(print: (line: string) => void = console.log): void {
    if (typeof print !== 'function') throw typeError(`${this.$label}: print must be a function. got ${show(print)}`)
    this.$checkBuilt('summary')
    printSummary(this as unknown as Model<Output>, this.graph!, print)
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
    return this.result(this.graph!.run(inputs, training))
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
    return this.total(shape, (module, x) => module.$kept(x))
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
    count: (module: Module<Output>, shape: Shape | readonly Shape[]) => number | undefined,
  ): number | undefined {
    this.$checkBuilt('counting')
    const at = this.graph!.inferAll(isShape(shape) ? [shape] : shape)
    let sum = 0
    for (const { module, inputs, list } of this.graph!.steps) {
      const part = count(module, list ? inputs.map((place) => at[place]!) : at[inputs[0]!]!)
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
