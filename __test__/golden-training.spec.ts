// The optimizers against Keras' formulas, and a network's loss curve against PyTorch's.

import test from 'ava'
import {
  backward,
  layers,
  losses,
  mul,
  type Optimizer,
  optimizers,
  type Sequential,
  scope,
  sequential,
  sum,
  tensor,
  variable,
} from 'ferrograd'
import { float32From, float64From, readFixture, tolerance, worstDifference } from './helpers/golden.js'

interface OptimizerFile {
  start: string
  gradients: string
  cases: { name: string; optimizer: string; options: Record<string, unknown>; weights: string }[]
}

type MakeOptimizer = (options: Record<string, unknown>) => Optimizer

const steps = readFixture<OptimizerFile>('optimizers')
for (const golden of steps.cases) {
  for (const dtype of ['float32', 'float64'] as const) {
    test(`optimizers: ${golden.name}, ten steps in ${dtype}`, async (t) => {
      const make = (optimizers as unknown as Record<string, MakeOptimizer | undefined>)[golden.optimizer]
      if (make === undefined) return t.fail(`ferrograd has no optimizer "${golden.optimizer}"`)
      const optimizer = make(golden.options)
      const expected = float64From(golden.weights)
      const start = float32From(steps.start)
      const gradient = float32From(steps.gradients)
      const weights = variable(tensor(start, { dtype }))
      for (let step = 0; step < 10; step++) {
        const row = [step * start.length, (step + 1) * start.length] as const
        // The gradient of sum(weights · g) is g.
        const g = tensor(gradient.slice(...row), { dtype })
        scope(() => optimizer.step(backward(sum(mul(weights, g)))))
        const worst = worstDifference(await weights.data(), expected.subarray(...row))
        t.true(worst <= tolerance[dtype], `step ${step}: off by ${worst.toExponential(2)}`)
      }
    })
  }
}

interface CurveFile {
  weightSeed: number
  batchSeed: number
  shapes: number[][]
  curves: Record<'sgd' | 'adam', { options: { learningRate: number; momentum?: number }; losses: number[] }>
}

const curve = readFixture<CurveFile>('cnn-20-steps')

/** The generator that fixtures/goldens/cnn.py documents: the top 24 bits of x ← 1664525 x + 1013904223 mod 2³². */
class Lcg {
  constructor(private state: number) {}

  next(): number {
    this.state = (Math.imul(this.state, 1664525) + 1013904223) >>> 0
    return (this.state >>> 8) / 2 ** 24
  }

  fill(count: number, low: number, high: number): Float32Array {
    return Float32Array.from({ length: count }, () => this.next() * (high - low) + low)
  }
}

function* batches(): Generator<{ images: Float32Array; labels: Int32Array }> {
  const lcg = new Lcg(curve.batchSeed)
  for (let batch = 0; batch < 20; batch++) {
    const images = new Float32Array(8 * 12 * 12 * 2)
    const labels = new Int32Array(8)
    for (let example = 0; example < 8; example++) {
      const label = Math.floor(lcg.next() * 5)
      labels[example] = label
      const image = lcg.fill(12 * 12 * 2, 0, 0.5)
      for (let row = 0; row < 12; row++) {
        for (let column = 0; column < 12; column++) {
          if ((row + column) % 5 === label) image[(row * 12 + column) * 2]! += 1
        }
      }
      images.set(image, example * image.length)
    }
    yield { images, labels }
  }
}

function goldenNetwork(): Sequential {
  const model = sequential({
    inputShape: [12, 12, 2],
    layers: [
      layers.conv2d({ filters: 8, kernelSize: 3, padding: 'same', activation: 'relu' }),
      layers.maxPool2d({ poolSize: 2 }),
      layers.conv2d({ filters: 12, kernelSize: 3, activation: 'relu' }),
      layers.flatten(),
      layers.dense({ units: 16, activation: 'relu' }),
      layers.dense({ units: 5 }),
    ],
  })
  const lcg = new Lcg(curve.weightSeed)
  model.setWeights(
    curve.shapes.map((shape) => {
      const fanIn = shape.slice(0, -1).reduce((product, size) => product * size, 1)
      const limit = shape.length > 1 ? Math.sqrt(6 / fanIn) : 0.1
      const count = fanIn * shape.at(-1)!
      return tensor(lcg.fill(count, -limit, limit), { shape })
    }),
  )
  return model
}

const makeOptimizer = (name: 'sgd' | 'adam'): Optimizer => optimizers[name](curve.curves[name].options)

for (const name of ['sgd', 'adam'] as const) {
  const expected = curve.curves[name].losses

  test(`a network's twenty losses with ${name}, by trainOnBatch`, async (t) => {
    const model = goldenNetwork()
    model.compile({ optimizer: makeOptimizer(name), loss: 'softmaxCrossEntropy' })
    let step = 0
    for (const { images, labels } of batches()) {
      const { loss } = await model.trainOnBatch(tensor(images, { shape: [8, 12, 12, 2] }), tensor(labels))
      closeToCurve(t, loss, expected, step++)
    }
  })

  test(`a network's twenty losses with ${name}, in a loop of one's own`, async (t) => {
    const model = goldenNetwork()
    const optimizer = makeOptimizer(name)
    let step = 0
    for (const { images, labels } of batches()) {
      const loss = scope(() => {
        const xs = tensor(images, { shape: [8, 12, 12, 2] })
        const loss = losses.softmaxCrossEntropy(model.forward(xs, { training: true }), tensor(labels))
        optimizer.step(backward(loss))
        return loss
      })
      closeToCurve(t, await loss.item(), expected, step++)
    }
  })
}

function closeToCurve(
  t: { true(value: boolean, message: string): void },
  loss: number,
  curve: number[],
  step: number,
): void {
  const difference = Math.abs(loss - curve[step]!) / curve[step]!
  t.true(difference <= 1e-3, `step ${step}: loss ${loss}, PyTorch's ${curve[step]}`)
}
