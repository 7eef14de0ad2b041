// A learning rate for each epoch.

import { rangeError, show, typeError } from '../errors.js'
import type { Callback, Training } from './callback.js'

/**
 * A callback that sets the learning rate at the beginning of every epoch to `schedule(epoch, rate)`, where `rate` is the
 * one in use.
 *
 * @example
 * ```ts
 * import { callbacks } from 'ferrograd'
 * const halving = callbacks.learningRateScheduler((epoch, rate) => (epoch > 0 && epoch % 10 === 0 ? rate / 2 : rate))
 * // await model.fit(x, y, { epochs: 50, callbacks: [halving] })
 * console.log(typeof halving.onEpochBegin) // function
 * ```
 */
export function learningRateScheduler(schedule: (epoch: number, rate: number) => number): Callback {
  if (typeof schedule !== 'function') {
    throw typeError(`learningRateScheduler: expects a function (epoch, rate) => rate. got ${show(schedule)}`)
  }
  return {
    onEpochBegin(epoch, _logs, { optimizer }: Training) {
      const rate = schedule(epoch, optimizer.learningRate)
      if (typeof rate !== 'number' || !Number.isFinite(rate) || rate < 0) {
        throw rangeError(`learningRateScheduler: the rate of epoch ${epoch} must be a number from 0. got ${show(rate)}`)
      }
      optimizer.learningRate = rate
    },
  }
}
