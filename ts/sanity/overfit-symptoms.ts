// Why a model did not learn a few examples by heart.

import type { Trainable } from '../training/trainable.js'
import { hasExploded } from './has-exploded.js'
import type { OverfitSymptom } from './overfit-report.js'
import type { Attempt } from './overfit-small-batch.js'
import type { Borrowed, Probe } from './probe.js'
import { whereNotFinite } from './spread.js'

interface Diagnosis {
  readonly symptom: OverfitSymptom
  readonly verdict: string
}

/** @internal The first symptom that explains the failure. */
export async function diagnose(borrowed: Borrowed, probe: Probe, attempt: Attempt): Promise<Diagnosis> {
  const losses = attempt.history.history.loss
  const [first, last] = [losses[0]!, losses.at(-1)!]
  const rate = attempt.learningRate
  if (losses.length === 1 && !Number.isFinite(first)) {
    // The step that followed has spoiled the weights.
    borrowed.restore()
    const where = await whereNotFinite(probe, borrowed.trainable.weights, attempt.scores, first)
    return { symptom: 'notFinite', verdict: `the loss was ${first} before the first step. ${where}` }
  }
  const pair = await contradiction(probe)
  if (pair !== undefined) {
    const [a, b] = pair
    return {
      symptom: 'contradictoryLabels',
      verdict: `samples ${a} and ${b} are equal but have different labels: nobody can learn both. clean the labels`,
    }
  }
  if (hasExploded(last, first)) {
    return {
      symptom: 'exploded',
      verdict: `the loss went from ${show(first)} to ${show(last)} in ${losses.length - 1} steps: the learning rate ${rate} is too high. try a tenth of it, or clipNorm`,
    }
  }
  if (alike(attempt)) return constant(borrowed.trainable)
  return tooSlow(losses, rate)
}

async function constant(trainable: Trainable): Promise<Diagnosis> {
  const kernels = trainable.trainableWeights.filter(({ shape }) => shape.length >= 2)
  const zero = await Promise.all(kernels.map(async (kernel) => (await kernel.data()).every((value) => value === 0)))
  const at = zero.indexOf(true)
  const cause =
    at === -1
      ? 'the units of some layer are dead (a relu that is 0 for all), or the inputs are the same. use a smaller learning rate, leakyRelu, or normalised inputs'
      : `kernel "${kernels[at]!.name}" is 0, and so is the gradient of what is before it. initialize it at random`
  return { symptom: 'constantPredictions', verdict: `the predictions are the same for all examples: ${cause}` }
}

function tooSlow(losses: readonly number[], rate: number): Diagnosis {
  const [first, last] = [losses[0]!, losses.at(-1)!]
  const steps = losses.length - 1
  const middle = losses[Math.floor(steps / 2)]!
  // A rate that is too low still falls in the second half as in the first; what has arrived does not.
  const arrived = middle < first && middle - last < 0.1 * (first - middle)
  if (Math.abs(first - last) < 0.01 * Math.abs(first) && !arrived) {
    return {
      symptom: 'didNotMove',
      verdict: `the loss did not move: ${show(first)} before and ${show(last)} after ${steps} steps. the learning rate ${rate} is too low, try ten times as much; or no gradient arrives`,
    }
  }
  const before = mean(losses.slice(-Math.ceil(losses.length / 2), -Math.ceil(losses.length / 4)))
  const after = mean(losses.slice(-Math.ceil(losses.length / 4)))
  if (after < 0.99 * before) {
    return {
      symptom: 'tooFewEpochs',
      verdict: `the loss was still falling, from ${show(first)} to ${show(last)} in ${steps} steps: give more epochs, or a learning rate above ${rate}`,
    }
  }
  return {
    symptom: 'plateau',
    verdict: `the loss stopped at ${show(last)} after ${steps} steps: the model is too small for these examples, or the learning rate ${rate} too high to come closer`,
  }
}

/** Whether all examples have the same predictions. */
function alike({ scores, perExample }: Attempt): boolean {
  let size = 0
  let difference = 0
  for (let i = perExample; i < scores.length; i++) {
    size = Math.max(size, Math.abs(scores[i]!))
    difference = Math.max(difference, Math.abs(scores[i]! - scores[i % perExample]!))
  }
  return scores.length > perExample && difference <= 1e-6 * Math.max(size, 1e-3)
}

/** Two samples with equal inputs and different labels. */
async function contradiction(probe: Probe): Promise<[number, number] | undefined> {
  const count = probe.rows.length
  const rowsOf = async (tensors: readonly { data(): Promise<ArrayLike<number>> }[]): Promise<string[]> => {
    const all = await Promise.all(tensors.map((tensor) => tensor.data()))
    return Array.from({ length: count }, (_, row) =>
      all
        .map((values) => {
          const each = values.length / count
          return Array.prototype.slice.call(values, row * each, (row + 1) * each).join()
        })
        .join(';'),
    )
  }
  const [inputs, labels] = [await rowsOf(probe.inputs), await rowsOf([probe.labels])]
  const seen = new Map<string, number>()
  for (const [i, input] of inputs.entries()) {
    const earlier = seen.get(input)
    if (earlier === undefined) seen.set(input, i)
    else if (labels[earlier] !== labels[i]) {
      return [probe.rows[earlier]!, probe.rows[i]!].sort((a, b) => a - b) as [number, number]
    }
  }
  return undefined
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

function show(loss: number): string {
  return Number.isFinite(loss) ? String(Number(loss.toPrecision(4))) : String(loss)
}
