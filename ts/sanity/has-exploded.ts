// When a training is lost.

/** @internal Whether a loss is not finite, or as far above the first one as that is from 0: for losses above 0 twice as high. */
export function hasExploded(loss: number, first: number): boolean {
  return !(loss <= first + Math.abs(first))
}
