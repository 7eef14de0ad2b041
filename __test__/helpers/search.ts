// A problem so small that a search over it takes a fraction of a second.
import { datasets, layers, type Model, optimizers, search, sequential } from 'ferrograd'

const { train, test } = datasets.spiral({ points: 40, classes: 3, seed: 1 })
export const data = { train, validation: test }

export const space = { learningRate: search.logUniform(1e-3, 0.3), units: search.choice([8, 16]) }

export interface NetParams {
  readonly learningRate: number
  readonly units: number
}

/** With dropout, so that a trial draws seeds while it runs. */
export function build({ learningRate, units }: NetParams): Model {
  const model = sequential({
    inputShape: [2],
    layers: [layers.dense({ units, activation: 'relu' }), layers.dropout({ rate: 0.1 }), layers.dense({ units: 3 })],
  })
  model.compile({ optimizer: optimizers.adam({ learningRate }), loss: 'softmaxCrossEntropy', metrics: ['accuracy'] })
  return model
}

/** What every search of the specs begins with. */
export const base = { build, space, data, trials: 4, epochs: 2, seed: 7, verbose: 0 } as const
