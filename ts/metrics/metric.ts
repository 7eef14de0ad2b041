// What a metric is: sums of a batch, added up over an epoch, and the number that follows from them.

import { noGrad } from '../autograd/record.js'
import { show, typeError } from '../errors.js'
import { scope } from '../tensor/scope.js'
import { checkTensor, Tensor } from '../tensor/tensor.js'

/** What a metric notes of one batch. Both parts are added up over the epoch. */
export interface Measurement {
  /** A small tensor, the same number of elements every time. */
  sums: Tensor
  /** How many things were judged. */
  count: number
}

/**
 * @internal Adds up what a metric notes. Reads arrive in the order they were asked for, without holding anybody up.
 */
export class Totals {
  readonly sums: number[] = []
  count = 0

  add(sums: ArrayLike<number>, count: number): void {
    for (let i = 0; i < sums.length; i++) this.sums[i] = (this.sums[i] ?? 0) + sums[i]!
    this.count += count
  }
}

/**
 * A figure that judges predictions. It is exact over all that it has seen: what is added up are counts and sums, not
 * averages of batches, in double precision.
 *
 * `fit` and `evaluate` take metrics and look after them. In a loop of your own: `update` after each batch, which queues
 * work and returns at once, `await result()` at the end, then `reset`. For a metric of your own extend this class.
 *
 * @example
 * ```ts
 * import { metrics, tensor } from 'ferrograd'
 * const accuracy = metrics.accuracy()
 * accuracy.update(tensor([[1, 2], [4, 3]]), tensor([1, 1], { dtype: 'int32' }))
 * accuracy.update(tensor([[0, 5]]), tensor([1], { dtype: 'int32' }))
 * console.log((await accuracy.result()).toFixed(3)) // 0.667
 * ```
 */
export abstract class Metric {
  private totals = new Totals()
  private arriving: Promise<unknown> = Promise.resolve()

  constructor(
    /** The key in logs and histories. */
    readonly name: string,
    /** Which way is up: what `earlyStopping` and `reduceOnPlateau` go by. */
    readonly better: 'higher' | 'lower' = 'higher',
  ) {}

  /** Queues the measuring of one batch. Runs inside a scope, with recording off. */
  abstract measure(predictions: Tensor, labels: Tensor): Measurement

  /** The metric, from what has been added up. */
  abstract value(sums: readonly number[], count: number): number

  /** Takes a batch into account. */
  update(predictions: Tensor, labels: Tensor): void {
    const { totals } = this
    const { sums, count } = measureBatch(this, predictions, labels)
    const read = sums.data().then((values) => totals.add(values, count))
    sums.dispose()
    this.arriving = Promise.all([this.arriving, read])
    // A failure is reported by result().
    this.arriving.catch(() => {})
  }

  /** The metric over all batches since the last reset. NaN without any. */
  async result(): Promise<number> {
    const { totals } = this
    await this.arriving
    return totals.count === 0 ? Number.NaN : this.value(totals.sums, totals.count)
  }

  /** Forgets all batches. */
  reset(): void {
    this.totals = new Totals()
    this.arriving = Promise.resolve()
  }
}

/** @internal What `metric` notes of a batch. What it makes on the way is freed. */
export function measureBatch(metric: Metric, predictions: Tensor, labels: Tensor): Measurement {
  checkTensor(metric.name, 'predictions', predictions)
  checkTensor(metric.name, 'labels', labels)
  return scope(() => {
    const measured: unknown = noGrad(() => metric.measure(predictions, labels))
    const { sums, count } = (measured ?? {}) as Partial<Measurement>
    if (!(sums instanceof Tensor) || typeof count !== 'number') {
      throw typeError(`${metric.name}: measure must return { sums: a Tensor, count: a number }. got ${show(measured)}`)
    }
    return { sums, count }
  })
}
