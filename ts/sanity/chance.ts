// What a loss is for a model that only guesses.

import type { LossName } from '../training/compile.js'

/** @internal */
export interface Chance {
  /** Undefined where it cannot be said. */
  readonly expected: number | undefined
  /** How it was found, or why not. */
  readonly formula: string
}

/** @internal `ofZeros` is what the loss gives for scores of 0, `indices` whether labels are class indices. */
export function chanceOf(lossName: LossName | undefined, classes: number, indices: boolean, ofZeros: number): Chance {
  switch (lossName) {
    case 'softmaxCrossEntropy':
      return { expected: Math.log(classes), formula: `-log(1 / ${classes} classes)` }
    case 'svm':
      return { expected: classes - 1, formula: `${classes - 1} wrong classes, each with the margin 1` }
    case 'binaryCrossEntropy':
      return { expected: Math.log(2), formula: '-log(1 / 2)' }
    case undefined:
      if (indices && Number.isFinite(ofZeros))
        return { expected: ofZeros, formula: 'what your loss gives for scores of 0' }
      return { expected: undefined, formula: 'your loss and its labels do not say what guessing costs' }
    default:
      return {
        expected: undefined,
        formula: `with ${lossName} it depends on the labels (${ofZeros.toPrecision(4)} for predictions of 0)`,
      }
  }
}
