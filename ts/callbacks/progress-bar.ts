// Progress for people: a bar on a terminal, else one line for each epoch.

import type { SingleBar } from 'cli-progress'
import { show, typeError } from '../errors.js'
import { checkOptions } from '../initializers/options.js'
import type { Logs } from '../training/logs.js'
import type { BatchLogs, Callback, Training } from './callback.js'

/** Where a bar is drawn: `process.stdout` or something like it. */
export type Terminal = NodeJS.WritableStream & { readonly isTTY?: boolean }

export interface ProgressBarOptions {
  /** Where the bar is drawn if it is a terminal. Default `process.stdout`. */
  stream?: Terminal
}

const style = {
  format: '{epoch} [{bar}] {value}/{total} {eta_formatted} {figures}',
  barCompleteChar: '=',
  barIncompleteChar: '.',
  barsize: 24,
  fps: 8,
  hideCursor: false,
  clearOnComplete: true,
  stopOnComplete: false,
  gracefulExit: false,
}
const styleWithoutTotal = { ...style, format: '{epoch} batch {value} {figures}' }

/** Draws a bar of the batches of an epoch, and leaves one line when it is over. */
export class ProgressBar implements Callback {
  readonly passive = true
  private readonly stream: Terminal
  private bar: SingleBar | undefined
  private newBar: ((total: number | undefined) => SingleBar) | undefined
  private steps: number | undefined
  private batches = 0
  private title = ''
  private readonly means = new Means()
  private readonly lines = new EpochLines()

  constructor({ stream = process.stdout }: ProgressBarOptions = {}) {
    this.stream = stream
  }

  async onTrainBegin(_logs: unknown, training: Training): Promise<void> {
    this.steps = training.steps
    this.newBar = undefined
    if (this.stream.isTTY !== true) return
    const { Presets, SingleBar } = (await import('cli-progress')).default
    this.newBar = (total) =>
      new SingleBar({ ...(total === undefined ? styleWithoutTotal : style), stream: this.stream }, Presets.legacy)
  }

  onEpochBegin(epoch: number, _logs: unknown, training: Training): void {
    this.lines.onEpochBegin()
    this.batches = 0
    this.means.clear()
    this.title = titleOf(epoch, training)
    this.bar = this.newBar?.(this.steps)
    this.bar?.start(this.steps ?? 0, 0, { epoch: this.title, figures: '' })
  }

  onBatchEnd(batch: number, logs: BatchLogs): void {
    this.batches = batch + 1
    if (this.bar === undefined) return
    this.means.add(logs)
    if (this.steps === undefined) this.bar.setTotal(this.batches)
    this.bar.update(this.batches, { epoch: this.title, figures: figures(this.means.values()) })
  }

  onEpochEnd(epoch: number, logs: Logs, training: Training): void {
    this.end()
    this.steps ??= this.batches
    const line = this.lines.line(epoch, logs, training)
    if (this.newBar === undefined) training.print(line)
    else this.stream.write(`${line}\n`)
  }

  onTrainEnd(): void {
    this.end()
  }

  private end(): void {
    this.bar?.stop()
    this.bar = undefined
  }
}

/** @internal One line for each epoch. */
export class EpochLines implements Callback {
  private began = 0

  onEpochBegin(): void {
    this.began = performance.now()
  }

  onEpochEnd(epoch: number, logs: Logs, training: Training): void {
    training.print(this.line(epoch, logs, training))
  }

  line(epoch: number, logs: Logs, training: Training): string {
    const ms = performance.now() - this.began
    const time = ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`
    return `${titleOf(epoch, training)} ${figures(logs)} (${time})`
  }
}

function titleOf(epoch: number, { epochs }: Training): string {
  return `epoch ${epoch + 1}/${epochs}`
}

/** The means of figures over the batches so far. */
class Means {
  private sums: Record<string, number> = {}
  private size = 0

  clear(): void {
    this.sums = {}
    this.size = 0
  }

  add({ batch: _batch, size, ...rest }: BatchLogs): void {
    this.size += size
    for (const [key, value] of Object.entries(rest)) this.sums[key] = (this.sums[key] ?? 0) + (value ?? 0) * size
  }

  values(): Record<string, number> {
    return Object.fromEntries(Object.entries(this.sums).map(([key, sum]) => [key, sum / this.size]))
  }
}

/** @internal `loss 0.1234, accuracy 0.9876` */
export function figures(values: { readonly [key: string]: number | undefined }): string {
  return Object.entries(values)
    .map(([key, value]) => `${key} ${figure(value!)}`)
    .join(', ')
}

function figure(value: number): string {
  const size = Math.abs(value)
  return size !== 0 && (size < 1e-3 || size >= 1e5) && Number.isFinite(size) ? value.toExponential(3) : value.toFixed(4)
}

/**
 * A callback that shows a bar with the batches of the running epoch and the means of their figures, and leaves one line
 * for each epoch. Without a terminal only these lines are printed. `fit` has it on unless `verbose` says otherwise; give
 * it yourself to draw elsewhere than on `process.stdout`.
 *
 * @example
 * ```ts
 * import { callbacks } from 'ferrograd'
 * const bar = callbacks.progressBar({ stream: process.stderr })
 * // await model.fit(x, y, { epochs: 10, callbacks: [bar] })
 * console.log(bar.passive) // true
 * ```
 */
export function progressBar(options: ProgressBarOptions = {}): Callback {
  checkOptions('progressBar', options, ['stream'])
  const { stream } = options
  if (stream !== undefined && typeof stream?.write !== 'function') {
    throw typeError(`progressBar: stream must be a writable stream. got ${show(stream)}`)
  }
  return new ProgressBar(options)
}
