// What an attempt to learn a few examples by heart says.

import type { History } from '../training/logs.js'

/** What kept a model from learning a few examples by heart. */
export type OverfitSymptom =
  | 'notFinite'
  | 'contradictoryLabels'
  | 'exploded'
  | 'constantPredictions'
  | 'didNotMove'
  | 'tooFewEpochs'
  | 'plateau'

/** What {@link overfitSmallBatch} found. As text, a few lines to read. */
export class OverfitReport {
  /** @internal */
  constructor(
    /** Whether the model learned all examples. */
    readonly passed: boolean,
    /** What went wrong, if it did not. */
    readonly symptom: OverfitSymptom | undefined,
    /** What happened and what to do, in words. */
    readonly verdict: string,
    /** How many examples there were. */
    readonly examples: number,
    /** The loss, and for classifiers the accuracy, of all examples before each step. */
    readonly history: History,
  ) {}

  /** The last loss. */
  get loss(): number {
    return this.history.history.loss.at(-1)!
  }

  /** The last accuracy; undefined for a model that does not classify. */
  get accuracy(): number | undefined {
    return this.history.history.accuracy?.at(-1)
  }

  /** The verdict and about ten epochs. */
  toString(): string {
    const { passed, verdict, examples, history } = this
    const last = history.epoch.length - 1
    const shown = [...new Set(Array.from({ length: 10 }, (_, i) => Math.round((i * last) / 9)))]
    const { loss, accuracy } = history.history
    const lines = shown.map((i) => {
      const right = accuracy === undefined ? '' : `  accuracy ${accuracy[i]!.toFixed(3)}`
      return `  epoch ${String(history.epoch[i]).padStart(String(last).length)}  loss ${figure(loss[i]!).padStart(10)}${right}`
    })
    return [`overfitSmallBatch: ${passed ? 'passed' : 'failed'} on ${examples} examples. ${verdict}`, ...lines].join(
      '\n',
    )
  }
}

function figure(loss: number): string {
  const size = Math.abs(loss)
  return loss === 0 || (size >= 1e-4 && size < 1e5) ? loss.toFixed(4) : loss.toExponential(3)
}
