// What a sweep over learning rates says.

import { hasExploded } from './has-exploded.js'
import { drawRates } from './learning-rate-chart.js'

/** One step of the sweep. */
export interface RatePoint {
  /** The rate of the step. */
  readonly learningRate: number
  /** The loss after it. */
  readonly loss: number
}

/** What {@link learningRateRange} found. As text, a table to read. */
export class LearningRateReport {
  /** The rate to try first; undefined when no rate made the loss fall. */
  readonly suggestion: number | undefined
  /** The rate at which the loss fell most steeply. */
  readonly steepest: number | undefined
  /** The rate after which the loss was lowest; undefined when no rate made it fall. */
  readonly lowest: number | undefined
  /** The rate at which the loss exploded; undefined when it did not. */
  readonly divergence: number | undefined
  /** What was seen, in words. */
  readonly verdict: string

  /** @internal */
  constructor(
    /** The steps in their order, up to the explosion. */
    readonly points: readonly RatePoint[],
    /** The loss before the first step. */
    readonly firstLoss: number,
    private readonly highest: number,
  ) {
    const losses = points.map(({ loss }) => loss)
    const least = Math.min(...losses.filter(Number.isFinite))
    const at = firstLoss - least > 0.02 * Math.abs(firstLoss) ? losses.indexOf(least) : undefined
    this.divergence = points.find(({ loss }) => hasExploded(loss, firstLoss))?.learningRate
    this.lowest = at === undefined ? undefined : points[at]!.learningRate
    this.steepest = at === undefined ? undefined : steepestOf(points, at)
    // As long as the loss falls to the end, nothing is known of where rates become too high.
    const turned = at !== undefined && at < points.length - 1
    this.suggestion = turned ? Math.min(this.steepest!, this.lowest! / 10) : this.steepest
    this.verdict = this.words()
  }

  private words(): string {
    const { suggestion, steepest, lowest, divergence, firstLoss, points, highest } = this
    if (points.length === 0) {
      return `the loss was ${firstLoss} before the first step. checkInitialLoss says where that comes from`
    }
    const end =
      divergence === undefined ? `it does not explode up to ${short(highest)}` : `it explodes at ${short(divergence)}`
    if (suggestion === undefined) {
      const way = divergence === undefined ? 'higher rates' : 'lower rates'
      return `the loss does not fall at any rate, and ${end}. try ${way}, and see overfitSmallBatch`
    }
    const turn = lowest === points.at(-1)!.learningRate ? 'and still at the last' : `and up to ${short(lowest!)}`
    return `try ${short(suggestion)}. the loss falls most steeply at ${short(steepest!)} ${turn}; ${end}`
  }

  /** The verdict and a table of about twenty rates. */
  toString(): string {
    const { points, verdict, suggestion } = this
    const every = Math.max(1, Math.ceil(points.length / 20))
    const shown = points.filter((_, i) => i % every === 0 || i === points.length - 1)
    const closest = suggestion === undefined ? undefined : nearest(shown, suggestion)
    const lines = shown.map((point) => {
      const mark = point === closest ? '  <- about here' : ''
      return `  ${short(point.learningRate).padStart(8)}  ${figure(point.loss)}${mark}`
    })
    return [`learningRateRange: ${verdict}`, `  ${'rate'.padStart(8)}  ${'loss'.padStart(10)}`, ...lines].join('\n')
  }

  /**
   * A chart of the losses against the rates, as SVG. Needs the package `vega` (`npm install vega`); without it the
   * promise rejects with an error that says so.
   */
  async svg(): Promise<string> {
    return drawRates(this)
  }
}

/** Where the loss falls most for each tenfold of the rate, up to its lowest point. Five points make a slope. */
function steepestOf(points: readonly RatePoint[], lowest: number): number {
  let [best, at] = [Infinity, lowest]
  for (let i = 0; i <= lowest; i++) {
    const [a, b] = [points[Math.max(0, i - 2)]!, points[Math.min(lowest, i + 2)]!]
    const slope = (b.loss - a.loss) / Math.log(b.learningRate / a.learningRate)
    if (slope < best) [best, at] = [slope, i]
  }
  return points[at]!.learningRate
}

function nearest(points: readonly RatePoint[], rate: number): RatePoint {
  const distance = ({ learningRate }: RatePoint) => Math.abs(Math.log(learningRate / rate))
  return points.reduce((a, b) => (distance(b) < distance(a) ? b : a))
}

/** @internal `2.1e-3` */
export function short(rate: number): string {
  return rate.toExponential(1)
}

function figure(loss: number): string {
  return (Math.abs(loss) < 1e5 ? loss.toFixed(4) : loss.toExponential(3)).padStart(10)
}
