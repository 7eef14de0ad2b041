// What training goes on from, as plain data and tensors, and back.

import type { CallbackProgress } from '../callbacks/callback.js'
import { FormatError, show, typeError } from '../errors.js'
import type { Output } from '../layers/module.js'
import { configOf, type MetricConfig } from '../metrics/config.js'
import type { Metric } from '../metrics/metric.js'
import { metricFrom } from '../metrics/resolve.js'
import { checkPrecision, type Precision } from '../ops/precision.js'
import type { Optimizer, OptimizerConfig } from '../optimizers/optimizer.js'
import { optimizerFrom } from '../optimizers/optimizer-from.js'
import { rebuilt } from '../schedules/rebuild.js'
import { type SeedState, seedState } from '../tensor/seed.js'
import { sameShape, showShape } from '../tensor/shape.js'
import type { Tensor } from '../tensor/tensor.js'
import type { Variable } from '../tensor/variable.js'
import type { LossFunction, LossName } from '../training/compile.js'
import { type Position, progressOf, setProgress } from '../training/progress.js'
import type { Trainable } from '../training/trainable.js'
import type { Model } from './model.js'
import { checkList, checkObject, checkText, checkWhole } from './model-file.js'

/** Something of the user's own, of which a file can hold the name alone. */
interface Own {
  readonly own: string
}

interface CallbackDescription {
  readonly kind: string
  /** As text, because JSON has no infinities. */
  readonly numbers: Readonly<Record<string, string>>
  /** How many tensors it has. */
  readonly tensors: number
}

export interface TrainingDescription {
  readonly optimizer: OptimizerConfig
  readonly iterations: number
  /** The paths of the weights that the optimizer has met, in that order. */
  readonly met: readonly string[]
  readonly loss: { readonly kind: LossName } | Own
  readonly metrics: readonly (MetricConfig | Own)[]
  readonly precision?: Precision
  readonly position: Position
  readonly batchSize?: number
  readonly orderSeed?: number
  readonly random: SeedState
  readonly callbacks: readonly CallbackDescription[]
}

// No path of a weight begins with a slash.
const slotName = (slot: string, path: string) => `/optimizer/${slot}/${path}`
const stateName = (callback: number, i: number) => `/callbacks/${callback}/${i}`

/** The training of a model as it stands, with the tensors that belong to it by name. Undefined unless it is compiled. */
export function describeTraining(
  model: Model<Output>,
): { description: TrainingDescription; tensors: ReadonlyMap<string, Tensor> } | undefined {
  const compiled = model.$compiled
  if (compiled === undefined) return undefined
  const { optimizer, loss, lossName, metrics, precision } = compiled
  const tensors = new Map<string, Tensor>()
  const paths = new Map([...model.$namedWeights()].map(([path, variable]) => [variable, path]))
  const slots = optimizer.$slotsOf([...paths.keys()])
  for (const [variable, named] of slots) {
    for (const [slot, tensor] of Object.entries(named)) tensors.set(slotName(slot, paths.get(variable)!), tensor)
  }
  const progress = progressOf(model as unknown as Trainable)
  const callbacks = progress?.callbacks() ?? []
  for (const [c, { tensors: own }] of callbacks.entries()) {
    for (const [i, tensor] of own.entries()) tensors.set(stateName(c, i), tensor)
  }
  const description: TrainingDescription = {
    optimizer: optimizer.config(),
    iterations: optimizer.iterations,
    met: [...slots.keys()].map((variable) => paths.get(variable)!),
    loss: lossName === undefined ? { own: loss.name } : { kind: lossName },
    metrics: metrics.map((metric) => configOf(metric) ?? { own: metric.name }),
    ...(precision !== undefined && { precision }),
    position: model.position,
    ...(progress?.batchSize !== undefined && { batchSize: progress.batchSize }),
    ...(progress?.orderSeed !== undefined && { orderSeed: progress.orderSeed }),
    random: progress?.random ?? seedState(),
    callbacks: callbacks.map(({ kind, numbers, tensors: own }) => ({
      kind,
      numbers: Object.fromEntries(
        Object.entries(numbers).flatMap(([key, value]) => (value === undefined ? [] : [[key, String(value)]])),
      ),
      tensors: own.length,
    })),
  }
  return { description, tensors }
}

/** What a file names, but cannot hold. */
export interface OwnParts {
  readonly loss?: LossFunction | undefined
  readonly metrics?: readonly Metric[] | undefined
}

/** Compiles `model` as the file says, and lets it go on from there. Takes what it needs out of `tensors`. */
export function restoreTraining(
  op: string,
  model: Model<Output>,
  value: unknown,
  tensors: Map<string, Tensor>,
  own: OwnParts,
): void {
  const file = checkObject(op, 'the training state', value)
  const optimizer = optimizerFrom(op, file.optimizer)
  const loss = lossFrom(op, file.loss, own.loss)
  const metrics = metricsFrom(op, file.metrics, own.metrics)
  const { precision } = file
  if (precision !== undefined) checkPrecision(op, precision)
  rebuilt(op, 'training', () => model.compile({ optimizer, loss, metrics, precision }))
  restoreSlots(op, model, optimizer, file, tensors)
  const position = checkObject(op, 'position', file.position)
  const random = checkObject(op, 'random', file.random)
  const states = checkList(op, 'callbacks', file.callbacks).map((state, c) => stateFrom(op, state, c, tensors))
  setProgress(model as unknown as Trainable, {
    position: { epoch: checkWhole(op, 'epoch', position.epoch), batch: checkWhole(op, 'batch', position.batch) },
    batchSize: file.batchSize === undefined ? undefined : checkWhole(op, 'batchSize', file.batchSize, 1),
    orderSeed: file.orderSeed === undefined ? undefined : checkWhole(op, 'orderSeed', file.orderSeed),
    random: { seed: checkWhole(op, 'seed', random.seed), drawn: checkWhole(op, 'drawn', random.drawn) },
    callbacks: () => states,
  })
}

function lossFrom(op: string, value: unknown, given: LossFunction | undefined): LossName | LossFunction {
  const { kind, own } = checkObject(op, 'loss', value)
  if (own === undefined) {
    const name = checkText(op, 'loss', kind) as LossName
    if (given !== undefined)
      throw typeError(`${op}: the model was trained with the loss ${name}, and option loss has no effect`)
    return name
  }
  if (typeof given !== 'function') {
    throw typeError(
      `${op}: the model was trained with a loss of your own, ${show(checkText(op, 'loss', own))}. pass it: loadModel(path, { loss }). got ${show(given)}`,
    )
  }
  return given
}

function metricsFrom(op: string, value: unknown, given: readonly Metric[] = []): Metric[] {
  const left = new Map(given.map((metric) => [metric.name, metric]))
  const metrics = checkList(op, 'metrics', value).map((one) => {
    const { own } = checkObject(op, 'a metric', one)
    if (own === undefined) return metricFrom(op, one)
    const name = checkText(op, 'the name of a metric', own)
    const metric = left.get(name)
    if (metric === undefined) {
      throw typeError(
        `${op}: the model has a metric of your own, ${show(name)}. pass it: loadModel(path, { metrics: [ … ] })`,
      )
    }
    left.delete(name)
    return metric
  })
  for (const name of left.keys()) {
    throw typeError(`${op}: the model has no metric of your own called ${show(name)}. leave it out of metrics`)
  }
  return metrics
}

function restoreSlots(
  op: string,
  model: Model<Output>,
  optimizer: Optimizer,
  file: Readonly<Record<string, unknown>>,
  tensors: Map<string, Tensor>,
): void {
  const named = model.$namedWeights()
  const slots = new Map<Variable, Record<string, Tensor>>()
  for (const value of checkList(op, 'met', file.met)) {
    const path = checkText(op, 'the path of a weight', value)
    const variable = named.get(path)
    if (variable === undefined) {
      throw new FormatError(`${op}: the optimizer has a state for ${show(path)}, which is no weight of the model`)
    }
    if (slots.has(variable)) throw new FormatError(`${op}: the optimizer has two states for ${show(path)}`)
    const own = optimizer.$slotNames.map((slot) => [slot, take(op, tensors, slotName(slot, path), variable)] as const)
    slots.set(variable, Object.fromEntries(own))
  }
  optimizer.$begin(checkWhole(op, 'iterations', file.iterations), slots)
}

/** Takes the tensor called `name` out of `tensors`. It has to be like `variable`. */
function take(op: string, tensors: Map<string, Tensor>, name: string, variable?: Variable): Tensor {
  const tensor = tensors.get(name)
  if (tensor === undefined) throw new FormatError(`${op}: the tensor ${show(name)} is missing`)
  if (variable !== undefined && !(sameShape(tensor.shape, variable.shape) && tensor.dtype === variable.dtype)) {
    throw new FormatError(
      `${op}: the tensor ${show(name)} is ${tensor.dtype} ${showShape(tensor.shape)}, but the weight is ${variable.dtype} ${showShape(variable.shape)}`,
    )
  }
  tensors.delete(name)
  return tensor
}

function stateFrom(op: string, value: unknown, callback: number, tensors: Map<string, Tensor>): CallbackProgress {
  const state = checkObject(op, 'the state of a callback', value)
  const numbers: Record<string, number> = {}
  for (const [key, text] of Object.entries(checkObject(op, 'the numbers of a callback', state.numbers))) {
    const number = Number(checkText(op, 'the number of a callback', text))
    if (Number.isNaN(number) && text !== 'NaN') throw new FormatError(`${op}: ${show(text)} is no number`)
    numbers[key] = number
  }
  const kept: Tensor[] = []
  // Each is there, or it is an error: so the count cannot be a lie that takes long.
  const count = checkWhole(op, 'the tensors of a callback', state.tensors)
  while (kept.length < count) kept.push(take(op, tensors, stateName(callback, kept.length)))
  return { kind: checkText(op, 'the kind of a callback', state.kind), numbers, tensors: kept }
}
