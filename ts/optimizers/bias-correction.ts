// The start of moving averages.

/** @internal Adam's rate at step `t`: both means start from 0 and are too small by 1 − betaᵗ. */
export function corrected(rate: number, beta1: number, beta2: number, t: number): number {
  return (rate * Math.sqrt(1 - beta2 ** t)) / (1 - beta1 ** t)
}
