// Minor page faults of a training step once it runs steadily: memory that is reused causes none. Each costs about a
// microsecond, and a fresh 64 MB would cost 16,000 of them. What remains here is V8's: it returns and takes pages of its
// young generation (perf record -e page-faults shows nearly all of them in `node`, none in kernels).
//
//   npm run bench -- page-faults

import { optimizers, type Tensor, tensor } from 'ferrograd'
import { mlp, mnistCnn, training, vggSmall } from './peers/ferrograd-networks.js'
import { fill } from './peers/peer.js'

const images = (...shape: number[]): Tensor => tensor(fill(shape.reduce((a, b) => a * b, 1)), { shape })

const cases = [
  { name: 'MLP 784-256-10, batch 64, SGD', model: mlp, optimizer: optimizers.sgd, xs: [64, 784], steps: 500 },
  { name: 'MNIST CNN, batch 64, SGD', model: mnistCnn, optimizer: optimizers.sgd, xs: [64, 28, 28, 1], steps: 100 },
  { name: 'MNIST CNN, batch 64, Adam', model: mnistCnn, optimizer: optimizers.adam, xs: [64, 28, 28, 1], steps: 100 },
  { name: 'CIFAR VGG, batch 64, SGD', model: vggSmall, optimizer: optimizers.sgd, xs: [64, 32, 32, 3], steps: 10 },
]

for (const { name, model, optimizer, xs, steps } of cases) {
  const { run } = training(model(), optimizer({ learningRate: 0.001 }), images(...xs))
  // Until every buffer exists, and V8 has compiled what it will compile.
  for (let step = 0; step < Math.max(20, steps); step++) await run()
  const before = process.resourceUsage().minorPageFault
  for (let step = 0; step < steps; step++) await run()
  const faults = process.resourceUsage().minorPageFault - before
  console.log(
    `${name.padEnd(30)} ${(faults / steps).toFixed(2)} minor page faults a step (${faults} in ${steps} steps)`,
  )
}
