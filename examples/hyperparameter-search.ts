// Finds a learning rate and an L2 strength for a two-layer net, coarse to fine, as the notes of Stanford's CS231n advise.
import { datasets, gather, models, optimizers, regularizers, search, setSeed } from 'ferrograd'

const { train, test } = datasets.digits()

// Every fifth training digit judges the trials. The test digits are for the winner alone, once, at the end.
const digits = Array.from({ length: train.labels.size }, (_, digit) => digit)
const part = (rows: number[]) => ({ images: gather(train.images, rows), labels: gather(train.labels, rows) })
const data = {
  train: part(digits.filter((digit) => digit % 5 !== 0)),
  validation: part(digits.filter((digit) => digit % 5 === 0)),
}

// Both act by multiplication, so both are searched on a logarithmic scale.
const space = { learningRate: search.logUniform(1e-5, 1e-1), l2: search.logUniform(1e-5, 1) }

function build({ learningRate, l2 }: search.ParamsOf<typeof space>) {
  const model = models.twoLayerNet({
    inputShape: [8, 8, 1],
    units: 50,
    classes: 10,
    kernelRegularizer: regularizers.l2({ l2 }),
  })
  model.compile({
    optimizer: optimizers.sgd({ learningRate, momentum: 0.9 }),
    loss: 'softmaxCrossEntropy',
    metrics: ['accuracy'],
  })
  return model
}

const result = await search.coarseToFine({
  build,
  space,
  data,
  coarse: { trials: 20, epochs: 5 },
  fine: { trials: 10, epochs: 20 },
  seed: 1,
})

console.log(`\n${result.table()}\n`)
const { params, value, seed } = result.best!
console.log(`best: ${JSON.stringify(params)} with a validation accuracy of ${value.toFixed(3)}`)
console.log(result.warnings.length === 0 ? 'no value lies at the edge of its range' : result.warnings.join('\n'))

// The winner once more, on all the training digits.
setSeed(seed)
const winner = build(params)
await winner.fit(train.images, train.labels, { epochs: 20, verbose: 0 })
const { accuracy } = await winner.evaluate(test.images, test.labels)
console.log(`test accuracy of the winner: ${accuracy!.toFixed(3)}`)
