// Several transformations, one behind the other.

import { FormatError, ShapeError, show, typeError } from '../errors.js'
import { unscoped } from '../tensor/scope.js'
import { alias, type Tensor } from '../tensor/tensor.js'
import { byRows, floatOf } from './by-rows.js'
import { Preprocessing, type PreprocessingConfig, type Requirement, type Statistics } from './preprocessing.js'

/** What {@link pipeline} returns. */
export class Pipeline extends Preprocessing {
  readonly kind = 'pipeline'
  readonly steps: readonly Preprocessing[]

  constructor(steps: readonly Preprocessing[]) {
    super()
    const label = 'preprocessing.pipeline'
    if (!Array.isArray(steps) || steps.length === 0) {
      throw typeError(`${label}: expects an array with at least one step. got ${show(steps)}`)
    }
    steps.forEach((step: unknown, i) => {
      if (!(step instanceof Preprocessing)) {
        throw typeError(`${label}: steps[${i}] must be what one of preprocessing returns. got ${show(step)}`)
      }
      if (steps.indexOf(step) !== i) {
        throw typeError(
          `${label}: steps[${steps.indexOf(step)}] and steps[${i}] are the same object. make one for each place`,
        )
      }
    })
    this.steps = [...steps]
  }

  override config(): PreprocessingConfig {
    return { steps: this.steps.map((step) => ({ kind: step.kind, config: step.config() })) }
  }

  override async $learn(x: Tensor): Promise<Statistics> {
    const learned: Record<string, Tensor> = {}
    let rows = x
    try {
      for (const [i, step] of this.steps.entries()) {
        const statistics = await step.$learn(rows)
        for (const [name, tensor] of Object.entries(statistics)) learned[`${i}.${name}`] = tensor
        if (i + 1 === this.steps.length) return learned
        const shape = step.$outputShape(rows.shape, statistics)
        const next = unscoped(() => byRows(rows, shape, (part) => step.$forward(floatOf(part), statistics)))
        if (rows !== x) rows.dispose()
        rows = next
      }
      return learned
    } catch (error) {
      for (const tensor of Object.values(learned)) tensor.dispose()
      throw error
    } finally {
      if (rows !== x) rows.dispose()
    }
  }

  override $adopt(statistics: Statistics): void {
    super.$adopt(statistics)
    this.steps.forEach((step, i) => {
      const own = Object.entries(statisticsOf(statistics, i))
      step.$adopt(Object.fromEntries(own.map(([name, tensor]) => [name, alias(tensor)])))
    })
  }

  override dispose(): void {
    super.dispose()
    for (const step of this.steps) step.dispose()
  }

  override $outputShape(shape: readonly number[], statistics: Statistics): readonly number[] {
    return this.steps.reduce((shape, step, i) => step.$outputShape(shape, statisticsOf(statistics, i)), shape)
  }

  override $inputShape(shape: readonly number[], statistics: Statistics): readonly number[] {
    return this.steps.reduceRight((shape, step, i) => step.$inputShape(shape, statisticsOf(statistics, i)), shape)
  }

  override $example(statistics: Statistics): readonly number[] | undefined {
    return this.steps[0]!.$example(statisticsOf(statistics, 0))
  }

  override $forward(x: Tensor, statistics: Statistics): Tensor {
    return this.steps.reduce((x, step, i) => step.$forward(x, statisticsOf(statistics, i)), x)
  }

  override $backward(y: Tensor, statistics: Statistics): Tensor {
    return this.steps.reduceRight((y, step, i) => step.$backward(y, statisticsOf(statistics, i)), y)
  }

  override $requirements(statistics: Statistics): Readonly<Record<string, Requirement>> {
    return Object.fromEntries(
      this.steps.flatMap((step, i) =>
        Object.entries(step.$requirements(statisticsOf(statistics, i))).map(([name, one]) => [`${i}.${name}`, one]),
      ),
    )
  }

  override async $restore(statistics: Statistics): Promise<void> {
    await super.$restore(statistics)
    let shape: readonly number[] | undefined
    for (const [i, step] of this.steps.entries()) {
      const own = statisticsOf(statistics, i)
      const example = step.$example(own)
      shape ??= example && [1, ...example]
      try {
        shape &&= step.$outputShape(shape, own)
      } catch (error) {
        this.dispose()
        if (!(error instanceof ShapeError)) throw error
        throw new FormatError(`the steps in the file do not follow each other. ${error.message}`, { cause: error })
      }
    }
  }
}

/** Those of one step: the names that begin with its number. */
function statisticsOf(statistics: Statistics, step: number): Statistics {
  const prefix = `${step}.`
  const own = Object.entries(statistics).filter(([name]) => name.startsWith(prefix))
  return Object.fromEntries(own.map(([name, tensor]) => [name.slice(prefix.length), tensor]))
}

/**
 * Several transformations as one: `fit` fits each on what the ones before it make of the training data, `transform`
 * applies them in order, and `inverse` undoes them from the last to the first. After `fit` each of `steps` is fitted
 * too. The statistics are those of the steps, their names prefixed by the number of the step: `0.mean`.
 *
 * @example
 * ```ts
 * import { preprocessing, tensor } from 'ferrograd'
 * const steps = [preprocessing.standardize(), preprocessing.pca({ components: 1 })]
 * const both = await preprocessing.pipeline(steps).fit(tensor([[0, 10], [2, 30], [4, 50]]))
 * const y = both.transform(tensor([[2, 30]]))
 * console.log(y.shape, await both.inverse(y).array()) // [ 1, 1 ] [ [ 2, 30 ] ]
 * ```
 */
export function pipeline(steps: readonly Preprocessing[]): Pipeline {
  return new Pipeline(steps)
}
