// The learning rate matters most. A sweep trains a moment at each of many rates, from far too low to far too high; then
// training begins high and the rate falls.
//
// What to see: from 1e-6 to 1e-3 the loss of plain descent hardly moves; from there up it falls, and above some rate it
// explodes. Then how schedules let the rate fall over 100 steps, and that a rate a thousand times too low or ten times above
// the explosion learns next to nothing. `node .examples-build/learning-rate.js rates.svg` draws the sweep into a file, where
// vega is installed.
import { writeFile } from 'node:fs/promises'
import {
  datasets,
  layers,
  learningRateRange,
  optimizers,
  type Schedule,
  schedules,
  sequential,
  setSeed,
} from 'ferrograd'

setSeed(1)
const { train, test } = datasets.digits()

function network(optimizer: optimizers.Optimizer) {
  const model = sequential({
    inputShape: [8, 8, 1],
    layers: [layers.flatten(), layers.dense({ units: 64, activation: 'relu' }), layers.dense({ units: 10 })],
  })
  model.compile({ optimizer, loss: 'softmaxCrossEntropy', metrics: ['accuracy'] })
  return model
}

const model = network(optimizers.sgd())
console.log(`${await learningRateRange(model, train.images, train.labels, { to: 1e-3, steps: 20 })}\n`)
const sweep = await learningRateRange(model, train.images, train.labels, { from: 1e-4, to: 100 })
console.log(`${sweep}\n`)
if (process.argv[2] !== undefined) await writeFile(process.argv[2], await sweep.svg())

const initialLearningRate = sweep.suggestion!
const cosine = schedules.cosineDecay({ initialLearningRate, decaySteps: 100 })
const all: Record<string, Schedule> = {
  'step decay': schedules.stepDecay({ initialLearningRate, decaySteps: 25, decayRate: 0.5 }),
  exponential: schedules.exponentialDecay({ initialLearningRate, decaySteps: 25, decayRate: 0.5 }),
  '1/t': schedules.oneOverT({ initialLearningRate, decaySteps: 25 }),
  cosine,
  'cosine, restarts': schedules.cosineDecay({ initialLearningRate, decaySteps: 33, restarts: { lengthFactor: 1 } }),
  'warm-up, cosine': schedules.warmup({ learningRate: cosine, warmupSteps: 10 }),
}
const steps = [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100]
console.log(`${'step'.padEnd(16)} ${steps.map((step) => String(step).padStart(5)).join(' ')}`)
for (const [name, schedule] of Object.entries(all)) {
  console.log(`${name.padEnd(16)} ${steps.map((step) => schedule.at(step).toFixed(3).padStart(5)).join(' ')}`)
}

console.log('\ntest accuracy after 10 epochs')
for (const learningRate of [sweep.suggestion! / 1000, sweep.suggestion!, sweep.divergence! * 10]) {
  const trained = network(optimizers.sgd({ learningRate }))
  await trained.fit(train.images, train.labels, { epochs: 10, seed: 1, verbose: 0 })
  const { accuracy } = await trained.evaluate(test.images, test.labels)
  console.log(`  at rate ${learningRate.toExponential(1)}: ${accuracy!.toFixed(3)}`)
}
