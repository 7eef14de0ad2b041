// Before a network is trained, three things are looked at: its first loss, whether a penalty raises that loss, and whether
// it can learn 20 examples by heart. Each takes seconds and finds most mistakes.
//
// What to see: a first loss near log(10) = 2.303 for softmax and near 9 for the SVM, far higher with a penalty of 1e3, and
// 20 of 20 right. Then four broken networks, each with what is wrong with it.
import {
  checkInitialLoss,
  datasets,
  initializers,
  layers,
  optimizers,
  overfitSmallBatch,
  sequential,
  setSeed,
} from 'ferrograd'

setSeed(1)
const { train } = datasets.digits()
const { images, labels } = train

/** A network with one hidden layer. */
function network({ stdDev = 0.01, bias = 0, last = 'linear' as 'linear' | 'softmax' } = {}) {
  const kernelInitializer = initializers.randomNormal({ stdDev })
  const biasInitializer = initializers.constant({ value: bias })
  return sequential({
    inputShape: [8, 8, 1],
    layers: [
      layers.flatten(),
      layers.dense({ units: 50, activation: 'relu', kernelInitializer, biasInitializer }),
      layers.dropout({ rate: 0.5 }),
      layers.dense({ units: 10, kernelInitializer }),
      ...(last === 'softmax' ? [layers.activation({ activation: 'softmax' })] : []),
    ],
  })
}

for (const loss of ['softmaxCrossEntropy', 'svm'] as const) {
  const model = network()
  model.compile({ optimizer: 'adam', loss })
  console.log(`${loss}\n${await checkInitialLoss(model, images, labels)}`)
  console.log(`${await overfitSmallBatch(model, images, labels, { examples: 20 })}\n`)
}

console.log('broken networks')
for (const options of [{ stdDev: 3 }, { stdDev: 0 }, { last: 'softmax' }] as const) {
  const model = network(options)
  model.compile({ optimizer: 'adam', loss: 'softmaxCrossEntropy' })
  const { passed, verdict } = await checkInitialLoss(model, images, labels)
  console.log(`${JSON.stringify(options)} ${passed ? 'passed' : 'failed'}: ${verdict}`)
}
for (const [options, learningRate] of [
  [{ bias: -10 }, 0.1],
  [{}, 1e-6],
  [{}, 1e6],
] as const) {
  const model = network(options)
  model.compile({ optimizer: optimizers.sgd({ learningRate }), loss: 'softmaxCrossEntropy' })
  const { passed, verdict } = await overfitSmallBatch(model, images, labels, { epochs: 200 })
  console.log(`${JSON.stringify(options)} at rate ${learningRate} ${passed ? 'passed' : 'failed'}: ${verdict}`)
}
