// Adam's rule, for Adam and AdamW.

import type { Rule } from './optimizer.js'

/** By Keras' formula, which adds epsilon to the uncorrected root. */
export const adamRule =
  ({ learningRate = 0.001, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7, weightDecay = 0 }): Rule =>
  () => {
    let [m, v] = [0, 0]
    return (w, g, t) => {
      m = beta1 * m + (1 - beta1) * g
      v = beta2 * v + (1 - beta2) * g * g
      const rate = (learningRate * Math.sqrt(1 - beta2 ** t)) / (1 - beta1 ** t)
      return w - learningRate * weightDecay * w - (rate * m) / (Math.sqrt(v) + epsilon)
    }
  }
