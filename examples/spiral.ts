// The toy of the course's case study: points on three spiral arms, which no straight line separates. A linear classifier
// against a network with one hidden layer, both trained by plain gradient descent on all points at once, in a loop of
// our own: forward, loss with the penalty on large weights, backward, step.
//
// What to see: the linear classifier gets about half of the points right, the network about 98 %.
import {
  add,
  backward,
  datasets,
  initializers,
  type Layer,
  layers,
  losses,
  optimizers,
  regularizers,
  scope,
  sequential,
  setSeed,
} from 'ferrograd'

setSeed(1)
const { images, labels } = datasets.spiral({ points: 100, classes: 3 }).train

const dense = (units: number, activation: 'relu' | 'linear'): Layer =>
  layers.dense({
    units,
    activation,
    kernelInitializer: initializers.randomNormal({ stdDev: 0.01 }),
    kernelRegularizer: regularizers.l2({ l2: 5e-4 }),
  })

async function train(title: string, stack: Layer[], steps: number): Promise<void> {
  const model = sequential({ inputShape: [2], layers: stack })
  const optimizer = optimizers.sgd({ learningRate: 1 })
  for (let step = 0; step < steps; step++) {
    const loss = scope(() => {
      const scores = model.forward(images, { training: true })
      const loss = add(losses.softmaxCrossEntropy(scores, labels), model.regularization()!)
      optimizer.step(backward(loss))
      return loss
    })
    if (step % (steps / 5) === 0) console.log(`  step ${step}: loss ${(await loss.item()).toFixed(4)}`)
    loss.dispose()
  }
  model.compile({ optimizer, loss: 'softmaxCrossEntropy', metrics: ['accuracy'] })
  const { accuracy } = await model.evaluate(images, labels)
  console.log(`${title}: ${(100 * accuracy!).toFixed(0)} % of the points`)
}

await train('linear classifier', [dense(3, 'linear')], 200)
const steps = process.env.EXAMPLES_SHORT === '1' ? 3000 : 10_000
await train('two-layer network', [dense(100, 'relu'), dense(3, 'linear')], steps)
