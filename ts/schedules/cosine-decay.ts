// A rate that falls along half a cosine, once or again and again.

import { rangeError, show } from '../errors.js'
import { checkCount, checkNumber, checkOptions } from '../initializers/options.js'
import { type BuiltInSchedule, checkInitialRate, scheduleOf } from './schedule.js'

export interface RestartOptions {
  /** How much longer each fall is than the one before, 1 or more. Default 2. */
  lengthFactor?: number
  /** How much lower each fall begins than the one before, above 0 up to 1. Default 1. */
  rateFactor?: number
}

export interface CosineDecayOptions {
  /** The rate of the first step, above 0. */
  initialLearningRate: number
  /** Steps of the optimizer in which the rate falls; with `restarts` those of the first fall. */
  decaySteps: number
  /** The share of the initial rate that is left at the end, from 0 to 1. Default 0. */
  alpha?: number
  /** Begin anew after every fall: true for the defaults, or how. Default false: the last rate stays. */
  restarts?: boolean | RestartOptions
}

/**
 * A learning rate that falls along half a cosine: with c = ½ (1 + cos(π · min(step / decaySteps, 1))),
 * rate(step) = initialLearningRate · ((1 − alpha) · c + alpha).
 *
 * With `restarts` it begins anew after `decaySteps`, and each fall takes `lengthFactor` times as long as the one before and
 * begins at its `rateFactor`-fold: the i-th fall has rateFactorⁱ · c in place of c.
 *
 * Throws a `RangeError` or `TypeError` for options that mean nothing.
 *
 * Source: Loshchilov and Hutter 2017.
 *
 * @example
 * ```ts
 * import { schedules } from 'ferrograd'
 * const once = schedules.cosineDecay({ initialLearningRate: 1, decaySteps: 100, alpha: 0.5 })
 * console.log(once.at(0), once.at(50), once.at(100), once.at(1000)) // 1 0.75 0.5 0.5
 * const again = schedules.cosineDecay({ initialLearningRate: 1, decaySteps: 100, restarts: true })
 * console.log(again.at(50), again.at(100), again.at(200)) // 0.5 1 0.5
 * ```
 */
export function cosineDecay(options: CosineDecayOptions): BuiltInSchedule {
  const op = 'cosineDecay'
  checkOptions(op, options, ['initialLearningRate', 'decaySteps', 'alpha', 'restarts'])
  const initialLearningRate = checkInitialRate(op, options.initialLearningRate)
  const decaySteps = checkCount(op, 'decaySteps', options.decaySteps)
  const alpha = checkNumber(op, 'alpha', options.alpha ?? 0, 0)
  if (alpha > 1) throw rangeError(`${op}: alpha must be from 0 to 1. got ${show(alpha)}`)
  const restarts = checkRestarts(op, options.restarts ?? false)
  return scheduleOf(op, { initialLearningRate, decaySteps, alpha, restarts }, (step) => {
    const { done, height } =
      restarts === false ? { done: step / decaySteps, height: 1 } : fallAt(step / decaySteps, restarts)
    const cosine = (height * (1 + Math.cos(Math.PI * Math.min(done, 1)))) / 2
    return initialLearningRate * ((1 - alpha) * cosine + alpha)
  })
}

function checkRestarts(op: string, restarts: unknown): false | Required<RestartOptions> {
  if (restarts === false) return false
  const given = restarts === true ? {} : (restarts as RestartOptions)
  checkOptions(`${op}: restarts`, given, ['lengthFactor', 'rateFactor'])
  const lengthFactor = checkNumber(op, 'restarts.lengthFactor', given.lengthFactor ?? 2, 1)
  const rateFactor = checkNumber(op, 'restarts.rateFactor', given.rateFactor ?? 1, 0, true)
  if (rateFactor > 1) throw rangeError(`${op}: restarts.rateFactor must be at most 1. got ${show(rateFactor)}`)
  return { lengthFactor, rateFactor }
}

/** How much of its fall is done at `time`, counted in lengths of the first one, and how high it began. */
function fallAt(
  time: number,
  { lengthFactor, rateFactor }: Required<RestartOptions>,
): { done: number; height: number } {
  if (lengthFactor === 1) return { done: time % 1, height: rateFactor ** Math.floor(time) }
  // The falls before the i-th take (lengthFactorⁱ − 1) / (lengthFactor − 1) together.
  const begin = (i: number) => (lengthFactor ** i - 1) / (lengthFactor - 1)
  let i = Math.floor(Math.log1p(time * (lengthFactor - 1)) / Math.log(lengthFactor))
  // The logarithm may round across a border.
  if (begin(i + 1) <= time) i++
  else if (begin(i) > time) i--
  return { done: (time - begin(i)) / lengthFactor ** i, height: rateFactor ** i }
}
