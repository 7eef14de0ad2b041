// The figures of a training for TensorBoard.

import { join } from 'node:path'
import type { Gradients } from '../autograd/backward.js'
import { rangeError, show, typeError } from '../errors.js'
import { checkCount, checkOptions } from '../initializers/options.js'
import { checkPath, type FilePath } from '../io/file-path.js'
import { showShape } from '../tensor/shape.js'
import { alias, type Tensor } from '../tensor/tensor.js'
import type { Variable } from '../tensor/variable.js'
import type { Logs } from '../training/logs.js'
import type { BatchLogs, Callback, Training } from './callback.js'
import type { EventFile, SummaryValue } from './event-file.js'
import { encodeFilters, type Filters, filtersOf, loadSharp } from './filter-image.js'
import { histogramOf } from './histogram.js'

export interface TensorBoardOptions {
  /** The folder for this training: `tensorboard --logdir` of it, or of one around it with those of other trainings. */
  logDir: FilePath
  /** Epochs from one set of histograms of weights and gradients to the next, the first being epoch 0. Default: none. */
  histograms?: number
  /** Epochs from one picture of the filters of the first layer to the next. Needs the package sharp. Default: none. */
  images?: number
  /** Figures of every epoch only, of every batch as well, or of every so many batches. Default 'epoch'. */
  updateFreq?: 'epoch' | 'batch' | number
}

/** Writes what TensorBoard shows. */
class TensorBoard implements Callback {
  /** The batch hooks look at figures alone. */
  readonly passive = true
  private readonly op: string
  private readonly folder: string
  private readonly histograms: number | undefined
  private readonly images: number | undefined
  /** Batches from one to the next. */
  private readonly every: number
  private readonly files = new Map<string, EventFile>()
  private sharp: Awaited<ReturnType<typeof loadSharp>> | undefined
  private step = 0
  /** The learning rates of the batches that are on their way. */
  private rates: number[] = []
  private watching = false
  private gradients = new Map<Variable, Tensor>()

  constructor(options: TensorBoardOptions) {
    const op = 'tensorBoard'
    checkOptions(op, options, ['logDir', 'histograms', 'images', 'updateFreq'])
    const { logDir, histograms, images, updateFreq } = options
    this.folder = checkPath(`${op}: logDir`, logDir)
    this.op = `${op} ${show(String(logDir))}`
    this.histograms = histograms === undefined ? undefined : checkCount(op, 'histograms', histograms)
    this.images = images === undefined ? undefined : checkCount(op, 'images', images)
    this.every = checkFrequency(op, updateFreq ?? 'epoch')
  }

  async onTrainBegin(_logs: Record<string, never>, { model, optimizer }: Training): Promise<void> {
    this.step = optimizer.iterations
    this.rates = []
    if (this.images !== undefined) {
      this.sharp = await loadSharp(this.op)
      if (model.weights.length > 0) this.filtersOf(model)
    }
    // Now, and not when the first epoch is lost.
    await this.run('train')
  }

  onEpochBegin(epoch: number): void {
    this.watching = isDue(epoch, this.histograms)
  }

  onBatchBegin(_batch: number, _logs: unknown, { optimizer }: Training): void {
    if (this.every < Infinity) this.rates.push(optimizer.learningRate)
  }

  /** @internal Keeps those of the last batch: their memory, and no copy. */
  $onGradients(gradients: Gradients): void {
    if (!this.watching) return
    this.forget()
    for (const [variable, gradient] of gradients.entries()) this.gradients.set(variable, alias(gradient))
  }

  async onBatchEnd(_batch: number, { batch: _, size: _size, ...figures }: BatchLogs): Promise<void> {
    const step = this.step++
    if (this.every === Infinity) return
    const rate = this.rates.shift()
    if (step % this.every !== 0) return
    const train = await this.run('train')
    await train.write(step, scalars('batch', { ...figures, learning_rate: rate }))
  }

  async onEpochEnd(epoch: number, logs: Logs, { model, optimizer }: Training): Promise<void> {
    const all = Object.entries(logs)
    const figures = all.filter(([name]) => !name.startsWith('val_'))
    const validated = all.filter(([name]) => name.startsWith('val_')).map(([name, value]) => [name.slice(4), value])
    const train = await this.run('train')
    const values = scalars('epoch', { ...Object.fromEntries(figures), learning_rate: optimizer.learningRate })
    if (this.watching) values.push(...(await this.distributions(model.weights)))
    if (isDue(epoch, this.images)) values.push(await this.picture(this.filtersOf(model)))
    await train.write(epoch, values)
    if (validated.length === 0) return
    await (await this.run('validation')).write(epoch, scalars('epoch', Object.fromEntries(validated)))
  }

  async onTrainEnd(): Promise<void> {
    this.forget()
    const files = [...this.files.values()]
    this.files.clear()
    for (const file of files) await file.close()
  }

  /** The file of a run, made when it is first needed. */
  private async run(name: 'train' | 'validation'): Promise<EventFile> {
    const known = this.files.get(name)
    if (known !== undefined) return known
    const { EventFile } = await import('./event-file.js')
    const file = await EventFile.create(this.op, join(this.folder, name))
    this.files.set(name, file)
    return file
  }

  /** One tensor at a time is copied out of native memory. */
  private async distributions(weights: readonly Variable[]): Promise<SummaryValue[]> {
    const values: SummaryValue[] = []
    const names = tagsOf(weights)
    const note = async (tag: string, x: Tensor) => {
      values.push({ tag, value: { case: 'histo', value: await histogramOf(x) } })
    }
    for (const [i, weight] of weights.entries()) await note(`weights/${names[i]}`, weight)
    for (const [i, weight] of weights.entries()) {
      const gradient = this.gradients.get(weight)
      if (gradient !== undefined) await note(`gradients/${names[i]}`, gradient)
    }
    this.forget()
    return values
  }

  private async picture(filters: Filters): Promise<SummaryValue> {
    const image = await encodeFilters(this.sharp!, filters)
    return { tag: `filters/${filters.weight.name}`, value: { case: 'image', value: image } }
  }

  private filtersOf(model: Training['model']): Filters {
    const filters = filtersOf(model)
    if (filters !== undefined) return filters
    const [first] = model.weights
    throw typeError(
      `${this.op}: images shows the filters of a first convolution, or of a first dense layer for images. the first weight of model "${model.name}" is ${first === undefined ? 'none' : `"${first.name}" ${showShape(first.shape)}`}. leave images out`,
    )
  }

  private forget(): void {
    for (const gradient of this.gradients.values()) gradient.dispose()
    this.gradients.clear()
  }
}

function checkFrequency(op: string, frequency: unknown): number {
  if (frequency === 'epoch') return Infinity
  if (frequency === 'batch') return 1
  if (typeof frequency === 'number' && Number.isInteger(frequency) && frequency > 0) return frequency
  throw rangeError(`${op}: updateFreq must be 'epoch', 'batch' or a whole number from 1. got ${show(frequency)}`)
}

function isDue(epoch: number, every: number | undefined): boolean {
  return every !== undefined && epoch % every === 0
}

function scalars(prefix: string, figures: Readonly<Record<string, number | undefined>>): SummaryValue[] {
  return Object.entries(figures).flatMap(([name, value]) =>
    value === undefined ? [] : { tag: `${prefix}_${name}`, value: { case: 'simpleValue', value } },
  )
}

/** The names of the weights; equal ones, which layers of inner models may have, with a number. */
function tagsOf(weights: readonly Variable[]): string[] {
  const seen = new Map<string, number>()
  return weights.map(({ name }) => {
    const count = (seen.get(name) ?? 0) + 1
    seen.set(name, count)
    return count === 1 ? name : `${name}_${count}`
  })
}

/**
 * A callback that writes what TensorBoard shows, as event files in `logDir`: the runs `train` and `validation`, each with
 * Keras' tags. Show them with Python's `tensorboard --logdir`; nothing of Python is needed to write them. Give each training
 * a folder of its own: two in one folder are drawn as one.
 *
 * | what | tags | step | when |
 * | --- | --- | --- | --- |
 * | figures | `epoch_loss`, `epoch_accuracy` … | epoch, from 0 | every epoch, in both runs |
 * | learning rate | `epoch_learning_rate` | epoch | every epoch: that of the step that comes next |
 * | figures of batches | `batch_loss`, `batch_accuracy` …, `batch_learning_rate` | steps of the optimizer | `updateFreq` |
 * | histograms | `weights/conv2d_1/kernel` …, `gradients/conv2d_1/kernel` … | epoch | `histograms` |
 * | filters | `filters/conv2d_1/kernel` | epoch | `images` |
 *
 * Weights are those at the end of the epoch. Gradients are those of its last batch, before the optimizer clips them, and
 * cost nothing to compute; in epochs with histograms they stay in memory for one step longer, as much as the weights take.
 * A histogram has 30 buckets between the least and the largest number, numbers that are not finite left out; each weight
 * and gradient is copied and gone through while the training waits, some hundredths of a second for a million numbers.
 *
 * A picture shows the filters of the first convolution side by side, each from its least value, black, to its largest,
 * white; for a first dense layer behind an image its rows as images, one for each unit.
 *
 * A folder that cannot be written, and a missing sharp, are errors before the first epoch.
 *
 * @example
 * ```ts
 * import { callbacks, datasets, layers, sequential } from 'ferrograd'
 * import { readdir } from 'node:fs/promises'
 * import { tmpdir } from 'node:os'
 * const { train } = datasets.spiral({ points: 50, classes: 3, seed: 1 })
 * const model = sequential({ inputShape: [2], layers: [layers.dense({ units: 3 })] })
 * model.compile({ optimizer: 'adam', loss: 'softmaxCrossEntropy', metrics: ['accuracy'] })
 * const logDir = `${tmpdir()}/tensorboard-${process.pid}`
 * const board = callbacks.tensorBoard({ logDir, histograms: 5, updateFreq: 'batch' })
 * await model.fit(train.images, train.labels, { epochs: 10, validationSplit: 0.2, verbose: 0, callbacks: board })
 * console.log(await readdir(logDir)) // [ 'train', 'validation' ]
 * ```
 */
export function tensorBoard(options: TensorBoardOptions): Callback {
  return new TensorBoard(options)
}
