// A model out of a file.

import { FormatError, show, typeError } from '../errors.js'
import { checkNumber, checkOptions } from '../initializers/options.js'
import { checkPath, type FilePath } from '../io/file-path.js'
import { TensorFile } from '../io/tensor-file.js'
import { type WeightSource, withWeightsFrom } from '../layers/weight-source.js'
import type { Metric } from '../metrics/metric.js'
import type { Preprocessing } from '../preprocessing/preprocessing.js'
import { preprocessingFrom } from '../preprocessing/preprocessing-from.js'
import { sameShape, showShape } from '../tensor/shape.js'
import { share, type Tensor } from '../tensor/tensor.js'
import type { LossFunction } from '../training/compile.js'
import { type LayerFactories, modelFrom } from './architecture.js'
import type { Model } from './model.js'
import { checkList, checkObject, checkWhole, parseModelFile, STATISTICS, type UncheckedFile } from './model-file.js'
import { restoreTraining } from './training-state.js'

export interface LoadModelOptions {
  /** Makes layers of your own from what their `config()` said, by kind: `{ squeezeExcite: (config) => new SqueezeExcite(config) }`. */
  layers?: LayerFactories
  /** The loss that the model was trained with, if it was one of your own. */
  loss?: LossFunction
  /** The metrics that the model was compiled with, as far as they were your own. They are matched by name. */
  metrics?: readonly Metric[]
  /** Refuse a file of more bytes than this. Default: what there is memory for. */
  maxBytes?: number
}

/**
 * The model that `model.save` wrote: compiled if it was compiled then, and ready to go on training where it was.
 *
 * `model.position` says where it stopped. `fit(x, y, { initialEpoch: model.position.epoch, epochs })`, with the other options
 * as they were, goes on from there, in the midst of an epoch too, and ends with the same weights, bit for bit, as if
 * there had been no break: optimizer, learning rate and its schedule, random numbers, the order of the samples, and the
 * state of `earlyStopping`, `reduceOnPlateau` and `checkpoint` go on. Not kept are the figures of batches before the
 * break, so those of an epoch that was broken cover its rest, and the history of earlier epochs. Batches that you make
 * yourself are gone through up to the place; give them a seed, so that they are the same.
 *
 * Loading alone changes no random numbers; `fit` lets them go on when it does.
 *
 * The file is checked as `loadTensors` does it, and no code of it is run. Throws a {@link FormatError} that says what is
 * wrong, a `TypeError` when a layer, loss or metric of your own is missing, and a `RangeError` without enough memory.
 *
 * @example
 * ```ts
 * import { datasets, layers, loadModel, sequential } from 'ferrograd'
 * import { tmpdir } from 'node:os'
 * const { train } = datasets.spiral({ points: 50, classes: 3, seed: 1 })
 * const model = sequential({ inputShape: [2], layers: [layers.dense({ units: 3 })] })
 * model.compile({ optimizer: 'adam', loss: 'softmaxCrossEntropy' })
 * await model.fit(train.images, train.labels, { epochs: 2, verbose: 0 })
 * const path = `${tmpdir()}/loaded-${process.pid}.safetensors`
 * await model.save(path)
 *
 * const copy = await loadModel(path)
 * console.log(copy.position) // { epoch: 2, batch: 0 }
 * const initialEpoch = copy.position.epoch
 * const { epoch } = await copy.fit(train.images, train.labels, { initialEpoch, epochs: 4, verbose: 0 })
 * console.log(epoch) // [ 2, 3 ]
 * ```
 */
export async function loadModel(path: FilePath, options: LoadModelOptions = {}): Promise<Model> {
  const absolute = checkPath('loadModel', path)
  checkOptions('loadModel', options, ['layers', 'loss', 'metrics', 'maxBytes'])
  const { maxBytes, loss, metrics, layers = {} } = options
  if (maxBytes !== undefined) checkNumber('loadModel', 'maxBytes', maxBytes, 0)
  if (loss !== undefined && typeof loss !== 'function')
    throw typeError(`loadModel: loss must be a function. got ${show(loss)}`)
  if (metrics !== undefined && !Array.isArray(metrics)) {
    throw typeError(`loadModel: metrics must be an array of metrics. got ${show(metrics)}`)
  }
  const op = `loadModel ${show(String(path))}`
  const file = await TensorFile.open(op, absolute, maxBytes)
  let all: ReadonlyMap<string, Tensor>
  let description: UncheckedFile
  try {
    description = parseModelFile(op, file.metadata)
    all = await file.read()
  } finally {
    await file.close()
  }
  const left = new Map(all)
  let model: Model | undefined
  try {
    model = build(op, left, description.model, layers)
    letLearn(op, model, description.learning)
    restoreDrawn(op, model, description.drawn)
    if (description.preprocessing !== undefined) {
      model.preprocessing = await restorePreprocessing(op, description.preprocessing, left)
    }
    if (description.training !== undefined) restoreTraining(op, model, description.training, left, { loss, metrics })
    else if (loss !== undefined || metrics !== undefined) {
      throw typeError(`${op}: the file holds no training state: loss and metrics have no effect. call compile`)
    }
    for (const name of left.keys())
      throw new FormatError(`${op}: the tensor ${show(name)} belongs to nothing in the model`)
    return model
  } catch (error) {
    model?.dispose()
    for (const tensor of all.values()) tensor.dispose()
    throw error
  }
}

function build(op: string, tensors: Map<string, Tensor>, description: unknown, layers: LayerFactories): Model {
  try {
    return withWeightsFrom(takeFrom(tensors), () => modelFrom(description, layers)) as Model
  } catch (error) {
    throw error instanceof FormatError ? new FormatError(`${op}: ${error.message}`, { cause: error }) : error
  }
}

/** Gives weights their values, each once. What is taken is freed as soon as its layer has a copy. */
function takeFrom(tensors: Map<string, Tensor>): WeightSource {
  return (path, shape, dtype) => {
    const tensor = tensors.get(path)
    if (tensor === undefined) {
      throw new FormatError(`the file has no tensor ${show(path)}, which the architecture names`)
    }
    if (!sameShape(tensor.shape, shape) || tensor.dtype !== dtype) {
      throw new FormatError(
        `the tensor ${show(path)} is ${tensor.dtype} ${showShape(tensor.shape)}, but the architecture wants ${dtype} ${showShape(shape)}`,
      )
    }
    tensors.delete(path)
    const passed = share(tensor, shape)
    tensor.dispose()
    return passed
  }
}

/** Lets the weights learn that did. In that order gradients are added up where an optimizer looks at all of them. */
function letLearn(op: string, model: Model, value: unknown): void {
  const named = new Map(model.$namedWeights())
  for (const variable of named.values()) variable.trainable = false
  for (const path of checkList(op, 'learning', value)) {
    const variable = named.get(path as string)
    if (variable === undefined) throw new FormatError(`${op}: there is no weight ${show(path)} that could learn`)
    variable.trainable = true
  }
}

async function restorePreprocessing(op: string, value: unknown, tensors: Map<string, Tensor>): Promise<Preprocessing> {
  const { kind, config } = checkObject(op, 'preprocessing', value)
  const statistics: Record<string, Tensor> = Object.create(null)
  for (const [name, tensor] of tensors) {
    if (name.startsWith(STATISTICS)) statistics[name.slice(STATISTICS.length)] = tensor
  }
  try {
    return await preprocessingFrom(kind, config, statistics)
  } catch (error) {
    throw error instanceof FormatError ? new FormatError(`${op}: ${error.message}`, { cause: error }) : error
  } finally {
    for (const [name, tensor] of Object.entries(statistics)) {
      tensors.delete(`${STATISTICS}${name}`)
      tensor.dispose()
    }
  }
}

function restoreDrawn(op: string, model: Model, value: unknown): void {
  const modules = model.$namedModules()
  for (const [path, drawn] of Object.entries(checkObject(op, 'drawn', value))) {
    const module = modules.get(path)
    if (module?.$drawn === undefined) throw new FormatError(`${op}: ${show(path)} has no random sequence`)
    module.$drawn = checkWhole(op, 'drawn', drawn)
  }
}
