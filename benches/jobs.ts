// The jobs: what is computed, and how much work that is.

import { forwardFlops, networks, stepFlops } from './networks.js'
import type { Conv2d, Direction, Job, MemoryBound, NetworkName, OptimizerName } from './work.js'

const directionTitles: Record<Direction, string> = {
  forward: 'forward',
  input: 'gradient of x',
  weight: 'gradient of the weight',
  all: 'forward and all gradients',
}

const matmuls = [256, 384, 512, 768, 1024, 1536, 2048].map((size): Job => {
  const title = `matmul ${size}×${size}×${size}`
  return { name: `matmul-${size}`, group: 'matmul', title, work: { op: 'matmul', size }, flops: 2 * size ** 3 }
})

const denses = [
  [784, 256],
  [3072, 512],
  [4096, 4096],
].flatMap(([inputs, units]) =>
  [32, 128].flatMap((batch) =>
    (['forward', 'input', 'weight'] as const).map(
      (direction): Job => ({
        name: `dense-${batch}x${inputs}x${units}-${direction}`,
        group: 'dense',
        title: `dense [${batch},${inputs}] → ${units}, ${directionTitles[direction]}`,
        work: { op: 'dense', batch, inputs: inputs!, units: units!, direction },
        flops: 2 * batch * inputs! * units!,
      }),
    ),
  ),
)

/** name: [batch, size, channels, filters, kernel, stride] */
const layers: Record<string, [number, number, number, number, number, number]> = {
  vgg1: [8, 224, 3, 64, 3, 1],
  vgg2: [8, 112, 64, 128, 3, 1],
  vgg3: [8, 56, 256, 256, 3, 1],
  vgg4: [8, 28, 512, 512, 3, 1],
  vgg5: [8, 14, 512, 512, 3, 1],
  'cifar-a': [64, 32, 3, 32, 3, 1],
  'cifar-b': [64, 32, 32, 32, 3, 1],
  'cifar-c': [64, 16, 64, 64, 3, 1],
  '5x5-a': [64, 32, 3, 32, 5, 1],
  '5x5-b': [64, 16, 32, 64, 5, 1],
  mnist1: [64, 28, 1, 32, 3, 1],
  mnist2: [64, 14, 32, 64, 3, 1],
  '1x1-a': [8, 56, 64, 256, 1, 1],
  '1x1-b': [8, 56, 256, 64, 1, 1],
  '1x1-c': [8, 14, 1024, 256, 1, 1],
  '3x3': [8, 56, 64, 64, 3, 1],
  '3x3-s2': [8, 56, 128, 128, 3, 2],
  '7x7-s2': [8, 224, 3, 64, 7, 2],
}

function convJob(layer: string, direction: Direction): Job {
  const [batch, size, channels, filters, kernel, stride] = layers[layer]!
  const work: Conv2d = { op: 'conv2d', batch, size, channels, filters, kernel, stride, direction }
  const outputs = batch * Math.ceil(size / stride) ** 2
  const flops = 2 * outputs * filters * channels * kernel * kernel
  const step = stride === 1 ? '' : `, stride ${stride}`
  return {
    name: `conv-${layer}-${direction}`,
    group: 'conv',
    title: `conv ${kernel}×${kernel} [${batch},${size},${size},${channels}] → ${filters}${step}, ${directionTitles[direction]}`,
    work,
    flops: direction === 'all' ? 3 * flops : flops,
  }
}

const convs = [
  ...(['forward', 'input', 'weight'] as const).flatMap((direction) =>
    Object.keys(layers).map((layer) => convJob(layer, direction)),
  ),
  ...['vgg3', 'cifar-b', 'cifar-c'].map((layer) => convJob(layer, 'all')),
]

const maps = [64, 32, 32, 64]
/** name: [op, shape, times its size that is read or written in the forward pass, and with gradients]. */
const bound: Record<string, [MemoryBound['op'], number[], number | undefined, number?]> = {
  relu: ['relu', maps, 2],
  gelu: ['gelu', maps, 2],
  sigmoid: ['sigmoid', maps, 2],
  tanh: ['tanh', maps, 2],
  add: ['add', maps, 3],
  mul: ['mul', maps, 3],
  'max-pool2d': ['maxPool2d', maps, 1.25, 2.75],
  'batch-norm': ['batchNorm', maps, 3, 8],
  'layer-norm': ['layerNorm', [4096, 768], 2, 5],
  softmax: ['softmax', [4096, 1000], 2, 5],
  'softmax-cross-entropy': ['softmaxCrossEntropy', [64, 1000], undefined, 3],
  dropout: ['dropout', [4096, 768], 2, 4],
}

const bytesOf = (shape: readonly number[]): number => 4 * shape.reduce((a, b) => a * b, 1)

const bounds = Object.entries(bound).flatMap(([name, [op, shape, forward, all]]) =>
  (['forward', 'all'] as const).flatMap((direction): Job[] => {
    const passes = direction === 'forward' ? forward : all
    if (passes === undefined) return []
    return [
      {
        name: direction === 'forward' ? name : `${name}-all`,
        group: 'bandwidth',
        title: `${op} [${shape}], ${directionTitles[direction]}`,
        work: { op, shape, direction },
        bytes: passes * bytesOf(shape),
      },
    ]
  }),
)

const resNet18Parameters = 11_173_962
/** Small enough for a network to go on learning, however often its step is repeated. */
const learningRates: Record<OptimizerName, number> = { sgd: 0.01, momentum: 0.001, adam: 0.001 }
/** Of 4 bytes: gradient, weight and what the optimizer remembers, the last two read and written. */
const moved: Record<OptimizerName, number> = { sgd: 3, momentum: 5, adam: 7 }

const updates = (['adam', 'momentum'] as const).flatMap((optimizer) =>
  ([10_000_000, 'resNet18'] as const).map((parameters): Job => {
    const one = parameters !== 'resNet18'
    return {
      name: `${optimizer}-${one ? '10m' : 'resnet18'}`,
      group: 'optimizers',
      title: `${optimizer === 'adam' ? 'Adam' : 'SGD, momentum'}, ${one ? 'one tensor of 10 million' : 'the parameters of ResNet-18'}`,
      work: { op: 'update', optimizer, learningRate: learningRates[optimizer], parameters },
      bytes: 4 * moved[optimizer] * (one ? parameters : resNet18Parameters),
    }
  }),
)

const optimizerTitles: Record<OptimizerName, string> = { sgd: 'SGD', momentum: 'SGD with momentum', adam: 'Adam' }

function stepJob(name: string, network: NetworkName, batch: number, optimizer: OptimizerName): Job {
  const { title, input, classes } = networks[network]
  return {
    name,
    group: 'steps',
    title: `${title}, training step, batch ${batch}, ${optimizerTitles[optimizer]}`,
    work: { op: 'step', network, batch, optimizer, learningRate: learningRates[optimizer], input, classes },
    flops: stepFlops(network, batch),
  }
}

function inferenceJob(name: string, network: NetworkName, batch: number): Job {
  const { title, input, classes } = networks[network]
  return {
    name,
    group: 'inference',
    title: `${title}, inference, batch ${batch}`,
    work: { op: 'inference', network, batch, input, classes },
    flops: forwardFlops(network, batch),
  }
}

export const jobs: readonly Job[] = [
  ...matmuls,
  ...denses,
  ...convs,
  ...bounds,
  ...updates,
  stepJob('mlp-step', 'mlp', 64, 'sgd'),
  stepJob('cnn-step-sgd', 'mnistCnn', 64, 'sgd'),
  stepJob('cnn-step-adam', 'mnistCnn', 64, 'adam'),
  stepJob('vgg-step', 'vggSmall', 64, 'sgd'),
  stepJob('resnet18-step', 'resNet18', 64, 'momentum'),
  stepJob('vgg16-step', 'vgg16', 8, 'momentum'),
  inferenceJob('cnn-inference', 'mnistCnn', 64),
  inferenceJob('resnet18-inference-1', 'resNet18', 1),
  inferenceJob('resnet18-inference-64', 'resNet18', 64),
  inferenceJob('vgg16-inference-1', 'vgg16', 1),
  inferenceJob('vgg16-inference-8', 'vgg16', 8),
  { name: 'tiny-op', group: 'overhead', title: 'add of 16 numbers, one of a thousand', work: { op: 'tiny', size: 16 } },
  { name: 'start-up', group: 'overhead', title: 'import in a fresh process', work: { op: 'start-up' } },
]

/** The jobs of the named groups, and those whose names begin with one of `words`; all without words. */
export function selectJobs(words: readonly string[]): Job[] {
  const matches = (job: Job, word: string): boolean => job.group === word || job.name.startsWith(word)
  const unknown = words.find((word) => !jobs.some((job) => matches(job, word)))
  if (unknown !== undefined) {
    const known = [...new Set(jobs.map((job) => job.group))]
    throw new RangeError(
      `no group and no job begins with "${unknown}". groups are ${known.join(', ')}; jobs are ${jobs.map((job) => job.name).join(', ')}`,
    )
  }
  return jobs.filter((job) => words.length === 0 || words.some((word) => matches(job, word)))
}

/** The job of that name. */
export function jobNamed(name: string): Job {
  const found = jobs.find((job) => job.name === name)
  if (found === undefined) throw new RangeError(`there is no job "${name}"`)
  return found
}
