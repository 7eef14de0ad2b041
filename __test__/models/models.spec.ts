// The ready-made classifiers, against the published numbers of parameters.
import test from 'ava'
import {
  backward,
  input,
  Layer,
  layers,
  type Model,
  model,
  models,
  mul,
  ones,
  sequential,
  sum,
  type Tensor,
  tensor,
  zeros,
} from 'ferrograd'

const learning = (net: Model) => net.trainableWeights.reduce((total, { size }) => total + size, 0)
const inLayers = (net: Model, kind: string) =>
  net.layers.filter((layer) => layer.kind === kind).reduce((total, layer) => total + layer.countParams(), 0)

test('linear and two-layer classifiers', (t) => {
  t.is(models.linearClassifier({ inputShape: [32, 32, 3], classes: 10 }).countParams(), 30_730)
  t.is(models.twoLayerNet({ inputShape: [32, 32, 3], classes: 10, units: 50 }).countParams(), 154_160)
  t.deepEqual(models.twoLayerNet({ inputShape: [4], classes: 3 }).forward(zeros([2, 4])).shape, [2, 3])
})

test('LeNet-5 has 61,706 parameters, for both sizes of digits', (t) => {
  for (const size of [28, 32]) {
    const net = models.lenet5({ inputShape: [size, size, 1], classes: 10 })
    t.is(net.countParams(), 61_706)
    t.deepEqual(net.layers[0]!.kind, 'conv2d')
    t.deepEqual(net.forward(zeros([2, size, size, 1])).shape, [2, 10])
  }
  const modern = models.lenet5({ inputShape: [28, 28, 1], classes: 10, activation: 'relu', pooling: 'max' })
  t.is(modern.layers[1]!.kind, 'maxPool2d')
})

test('AlexNet has the shapes of the lecture and 60,965,224 parameters', (t) => {
  using net = models.alexNet({ inputShape: [227, 227, 3], classes: 1000, units: 16 })
  t.is(inLayers(net, 'conv2d'), 2_334_080)
  // Three fully connected layers of 4096, 4096 and 1000 in place of 16, 16 and 1000.
  const hidden = 9216 * 4096 + 4096 + (4096 * 4096 + 4096) + (4096 * 1000 + 1000)
  t.deepEqual(net.getLayer('dense_1').weights[0]!.shape, [9216, 16])
  t.is(inLayers(net, 'conv2d') + hidden, 60_965_224)
  const lines: string[] = []
  net.summary((line) => lines.push(line))
  const shapes = lines.slice(3, 11).map((line) => /\[.*\]/.exec(line)![0])
  t.deepEqual(shapes, [
    '[null, 55, 55, 96]',
    '[null, 27, 27, 96]',
    '[null, 27, 27, 256]',
    '[null, 13, 13, 256]',
    '[null, 13, 13, 384]',
    '[null, 13, 13, 384]',
    '[null, 13, 13, 256]',
    '[null, 6, 6, 256]',
  ])
})

test('VGG has the published numbers of parameters in its convolutions', (t) => {
  for (const [kind, count] of [
    ['vgg11', 9_220_480],
    ['vgg16', 14_714_688],
    ['vgg19', 20_024_384],
  ] as const) {
    using net = models[kind]({ inputShape: [224, 224, 3], classes: 1000, units: 2 })
    t.is(inLayers(net, 'conv2d'), count)
    t.deepEqual(net.getLayer('dense_1').weights[0]!.shape, [25_088, 2])
    t.deepEqual(net.outputShape, [null, 1000])
  }
  // With 4096 units: the 138 million of the paper.
  t.is(14_714_688 + 25_088 * 4096 + 4096 + 4096 * 4096 + 4096 + 4096 * 1000 + 1000, 138_357_544)
  const small = models.vgg11({ inputShape: [32, 32, 3], classes: 10, units: 8 })
  t.deepEqual(small.forward(zeros([1, 32, 32, 3])).shape, [1, 10])
})

test('residual networks have the published numbers of parameters', (t) => {
  for (const [kind, count] of [
    ['resNet18', 11_689_512],
    ['resNet34', 21_797_672],
    ['resNet50', 25_557_032],
  ] as const) {
    using net = models[kind]({ inputShape: [224, 224, 3], classes: 1000 })
    t.is(learning(net), count)
    t.deepEqual(net.outputShape, [null, 1000])
  }
})

test('a residual network computes and learns', async (t) => {
  const net = models.resNet50({ inputShape: [16, 16, 3], classes: 4, smallImages: true, kernelRegularizer: 'l2' })
  const y = net.forward(ones([2, 16, 16, 3]), { training: true })
  t.deepEqual(y.shape, [2, 4])
  t.true((await y.data()).every(Number.isFinite))
  const gradients = backward(sum(y))
  t.true(net.trainableWeights.every((w) => gradients.has(w)))
  t.true((await net.regularization()!.item()) > 0)
  t.deepEqual(net.getLayer('stage2_block1_shortcut_conv').weights[0]!.shape, [1, 1, 256, 512])
})

test('what cannot be is refused', (t) => {
  const cases: [() => unknown, string | RegExp][] = [
    [
      () => models.vgg16({ inputShape: [224, 224, 3] } as never),
      'models.vgg16: classes must be a whole number. got undefined',
    ],
    [
      () => models.lenet5({ inputShape: [28, 28, 1], classes: 10, pooling: 'mean' as never }),
      "models.lenet5: pooling must be 'avg' or 'max'. got \"mean\"",
    ],
    [
      () => models.resNet18({ inputShape: [32, 32, 3], classes: 10, small: true } as never),
      'models.resNet18: there is no option small (got true). valid are inputShape, classes, kernelRegularizer, name, dtype and smallImages',
    ],
    [
      () => models.vgg11({ inputShape: [28, 28, 3], classes: 10 }),
      /^maxPool2d "block5_pool": a window of height 2 does not fit in an input of height 1\./,
    ],
    [
      () => models.linearClassifier(undefined as never),
      'models.linearClassifier: expects an options object. got undefined',
    ],
  ]
  for (const [fn, message] of cases) t.throws(fn, { message })
})

test('a summary says what the course asks for', (t) => {
  const lines: string[] = []
  const net = models.lenet5({ inputShape: [28, 28, 1], classes: 10, name: 'digits' })
  const first: Layer = net.layers[0] as Layer
  first.trainable = false
  net.summary((line) => lines.push(line))
  t.deepEqual(lines, [
    'sequential "digits"',
    '  layer (kind)             output shape        parameters    FLOPs',
    '  input                    [null, 28, 28, 1]',
    '  conv2d_1 (conv2d)        [null, 28, 28, 6]          156  258,720',
    '  avgPool2d_1 (avgPool2d)  [null, 14, 14, 6]            0    4,704',
    '  conv2d_2 (conv2d)        [null, 10, 10, 16]       2,416  488,000',
    '  avgPool2d_2 (avgPool2d)  [null, 5, 5, 16]             0    1,600',
    '  flatten_1 (flatten)      [null, 400]                  0        0',
    '  dense_1 (dense)          [null, 120]             48,120   96,600',
    '  dense_2 (dense)          [null, 84]              10,164   20,580',
    '  dense_3 (dense)          [null, 10]                 850    1,690',
    'parameters: 61,706 (247 kB), 61,550 trainable, 156 frozen',
    'forward: 871,894 FLOPs for each example',
    'training memory: about 985 kB for weights, gradients and moments, and 123 kB for each example of a batch',
  ])
})

test('a summary of a graph says where each layer looks, and what it cannot know', (t) => {
  class Half extends Layer {
    override forward(x: Tensor) {
      return mul(x, tensor(0.5))
    }
  }
  const x = input({ shape: [8], name: 'pixels' })
  const shared = layers.dense({ units: 8, kernelRegularizer: 'l2' })
  const y = layers.add({ name: 'sum' }).apply([shared.apply(shared.apply(x)), x])
  const net = model({ inputs: x, outputs: new Half().apply(y) })
  const lines: string[] = []
  net.summary((line) => lines.push(line))
  t.deepEqual(lines, [
    'model',
    '  layer (kind)     output shape  parameters  FLOPs  from',
    '  pixels           [null, 8]',
    '  dense_1 (dense)  [null, 8]             72    136  pixels',
    '  dense_1 (dense)  [null, 8]         shared    136  dense_1',
    '  sum (add)        [null, 8]              0      8  dense_1, pixels',
    '  half_1 (half)    [null, 8]              0      ?  sum',
    'parameters: 72 (288 B), 72 trainable, 0 frozen',
    'forward: at least 280 FLOPs for each example',
    'training memory: about 1.15 kB for weights, gradients and moments, and 320 B for each example of a batch',
  ])
  lines.length = 0
  const images = sequential({ inputShape: [null, 8, 1], layers: [layers.conv2d({ filters: 2, kernelSize: 3 })] })
  images.summary((line) => lines.push(line))
  t.deepEqual(lines.slice(3), [
    '  conv2d_1 (conv2d)  [null, null, 6, 2]          20      ?',
    'parameters: 20 (80 B), 20 trainable, 0 frozen',
    'forward: at least 0 FLOPs for each example',
    'training memory: about 320 B for weights, gradients and moments, and an unknown amount for each example of a batch',
  ])
  t.throws(() => net.summary(80 as never), { message: 'model: print must be a function. got 80' })
})
