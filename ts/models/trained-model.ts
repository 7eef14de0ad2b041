// What a model learns by, and how it gets into a file.

import { show, typeError } from '../errors.js'
import type { FilePath } from '../io/file-path.js'
import { Module, type Output } from '../layers/module.js'
import type { Optimizer } from '../optimizers/optimizer.js'
import { Preprocessing } from '../preprocessing/preprocessing.js'
import type { Tensor } from '../tensor/tensor.js'
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
import type { Model } from './model.js'
import { type SaveOptions, saveModel } from './save-model.js'

/** The half of {@link Model} that trains, judges, predicts and saves. */
export abstract class TrainedModel<Out extends Output = Tensor> extends Module<Out> {
  private compiled: Compiled | undefined
  private prepared: Preprocessing | undefined
  /** Set to true, in a callback as a rule, it ends `fit` after the batch at hand. */
  stopTraining = false

  /** @internal Whether `forward` returns an array. */
  abstract readonly several: boolean
  /** @internal How many outputs it has, once that is known. */
  abstract get $outputCount(): number | undefined

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
        `${this.$label}: training takes a model of one output, and this one has ${this.$outputCount}. train it with forward, backward and an optimizer`,
      )
    }
    return this as unknown as Trainable
  }
}
