// The figure that every example about images ends with.
import type { LabelledImages, Model } from 'ferrograd'

/** The share of these images that a compiled model classifies rightly. */
export async function accuracy(model: Model, { images, labels }: LabelledImages): Promise<number> {
  const scores = await model.evaluate(images, labels)
  return scores.accuracy!
}
