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
import { withWeightsFrom } from '../../dist/layers/weight-source.js'

/** What `build` makes with weights of zero, which take a fraction of the time that random ones take. */
const withZeros = <T>(build: () => T): T => withWeightsFrom((_, shape) => zeros(shape), build)
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

test.serial('AlexNet of one column has the 61,100,840 parameters of torchvision’s', (t) => {
  using net = withZeros(() => models.alexNet({ inputShape: [224, 224, 3], classes: 1000, columns: 1 }))
  t.is(net.countParams(), 61_100_840)
  t.deepEqual(
    net.layers.slice(8).map(({ kind }) => kind),
    ['flatten', 'dropout', 'dense', 'dropout', 'dense', 'dense'],
  )
})

test.serial('AlexNet has the shapes of the lecture and 60,965,224 parameters', (t) => {
  using net = withZeros(() => models.alexNet({ inputShape: [227, 227, 3], classes: 1000 }))
  t.is(inLayers(net, 'conv2d'), 2_334_080)
  t.is(net.countParams(), 60_965_224)
  using ungrouped = models.alexNet({ inputShape: [227, 227, 3], classes: 1000, groups: 1, units: 2 })
  t.is(net.countParams() - inLayers(net, 'conv2d') + inLayers(ungrouped, 'conv2d'), 62_378_344)
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

test.serial('VGG-11 and VGG-19 have the published numbers of layers and parameters', (t) => {
  for (const [kind, convolutions, inConvolutions, all] of [
    ['vgg11', 8, 9_220_480, 132_863_336],
    ['vgg19', 16, 20_024_384, 143_667_240],
  ] as const) {
    using net = withZeros(() => models[kind]({ inputShape: [224, 224, 3], classes: 1000 }))
    t.is(net.layers.filter((layer) => layer.kind === 'conv2d').length, convolutions)
    t.is(net.layers.filter((layer) => layer.kind === 'dense').length, 3)
    t.is(inLayers(net, 'conv2d'), inConvolutions)
    t.is(net.countParams(), all)
    t.is(learning(net), all)
    t.deepEqual(net.getLayer('dense_1').weights[0]!.shape, [25_088, 4096])
    t.deepEqual(net.outputShape, [null, 1000])
  }
})

test.serial('the summary of VGG-16 is the table of the course', (t) => {
  using net = withZeros(() => models.vgg16({ inputShape: [224, 224, 3], classes: 1000 }))
  t.is(net.layers.filter((layer) => layer.kind === 'conv2d').length, 13)
  t.is(net.layers.filter((layer) => layer.kind === 'dense').length, 3)
  t.is(inLayers(net, 'conv2d'), 14_714_688)
  const lines: string[] = []
  net.summary((line) => lines.push(line))
  // "memory" and "weights" of the course's notes, row by row; its weights are without biases.
  const course: [string, number, number][] = [
    ['input', 224 * 224 * 3, 0],
    ['block1_conv1', 224 * 224 * 64, 3 * 3 * 3 * 64],
    ['block1_conv2', 224 * 224 * 64, 3 * 3 * 64 * 64],
    ['block1_pool', 112 * 112 * 64, 0],
    ['block2_conv1', 112 * 112 * 128, 3 * 3 * 64 * 128],
    ['block2_conv2', 112 * 112 * 128, 3 * 3 * 128 * 128],
    ['block2_pool', 56 * 56 * 128, 0],
    ['block3_conv1', 56 * 56 * 256, 3 * 3 * 128 * 256],
    ['block3_conv2', 56 * 56 * 256, 3 * 3 * 256 * 256],
    ['block3_conv3', 56 * 56 * 256, 3 * 3 * 256 * 256],
    ['block3_pool', 28 * 28 * 256, 0],
    ['block4_conv1', 28 * 28 * 512, 3 * 3 * 256 * 512],
    ['block4_conv2', 28 * 28 * 512, 3 * 3 * 512 * 512],
    ['block4_conv3', 28 * 28 * 512, 3 * 3 * 512 * 512],
    ['block4_pool', 14 * 14 * 512, 0],
    ['block5_conv1', 14 * 14 * 512, 3 * 3 * 512 * 512],
    ['block5_conv2', 14 * 14 * 512, 3 * 3 * 512 * 512],
    ['block5_conv3', 14 * 14 * 512, 3 * 3 * 512 * 512],
    ['block5_pool', 7 * 7 * 512, 0],
    ['flatten_1', 0, 0],
    ['dense_1', 4096, 7 * 7 * 512 * 4096],
    ['dropout_1', 0, 0],
    ['dense_2', 4096, 4096 * 4096],
    ['dropout_2', 0, 0],
    ['dense_3', 1000, 4096 * 1000],
  ]
  const biases = (name: string) => (net.layers.find((layer) => layer.name === name)?.weights[1]?.size ?? 0) as number
  const rows = lines.slice(2, -4).map((line) => {
    const [name, ...cells] = line
      .replace(/\(.*?\)|\[.*?\]/g, '')
      .trim()
      .split(/\s+/)
    const [activations = 0, parameters = 0] = cells.map((cell) => Number(cell.replaceAll(',', '')))
    return [name, activations, parameters - biases(name!)]
  })
  t.deepEqual(rows, course)
  t.is(
    course.reduce((sum, [, memory]) => sum + memory, 0),
    15_237_608,
  )
  t.is(
    course.reduce((sum, [, , weights]) => sum + weights, 0),
    138_344_128,
  )
  t.deepEqual(lines.slice(-4), [
    'parameters: 138,357,544 (553 MB), 138,357,544 trainable, 0 frozen',
    'activations: 15,237,608 (61.0 MB, 122 MB with their gradients) for each example',
    'forward: 30,973,762,536 FLOPs for each example',
    'training memory: about 2.21 GB for weights, gradients and moments, and 80.1 MB for each example of a batch',
  ])
})

test('the classifiers take images of CIFAR’s size', (t) => {
  const small = { inputShape: [32, 32, 3], classes: 10 }
  const x = zeros([1, 32, 32, 3])
  const nets: Model[] = withZeros(() => [
    models.lenet5(small),
    models.alexNet({ ...small, units: 8, smallImages: true }),
    models.vgg11({ ...small, units: 8 }),
    models.resNet18({ ...small, smallImages: true }),
  ])
  for (const net of nets) {
    t.deepEqual(net.forward(x).shape, [1, 10], net.name)
    net.dispose()
  }
  // Without smallImages the first layers of a residual network leave 1 × 1 of 32 × 32 before the last stage ends.
  using coarse = withZeros(() => models.resNet18(small))
  t.deepEqual(coarse.forward(x).shape, [1, 10])
  const maps = (net: Model, name: string): string => {
    let found = ''
    net.summary((line) => {
      if (line.includes(` ${name} (`)) found = /\[.*?\]/.exec(line)![0]
    })
    return found
  }
  t.is(maps(coarse, 'stage4_block2_relu'), '[null, 1, 1, 512]')
  using fine = withZeros(() => models.resNet18({ ...small, smallImages: true }))
  t.is(maps(fine, 'stage4_block2_relu'), '[null, 4, 4, 512]')
  t.is(learning(fine), 11_173_962)
  t.deepEqual(fine.getLayer('stem_conv').weights[0]!.shape, [3, 3, 3, 64])
  t.false(fine.layers.some((layer) => layer.kind === 'maxPool2d'))
  // The smallest images that are let through leave one pixel.
  using least = models.alexNet({ inputShape: [67, 67, 3], classes: 2, units: 2 })
  t.is(maps(least, 'maxPool2d_3'), '[null, 1, 1, 256]')
  using column = models.alexNet({ inputShape: [63, 63, 3], classes: 2, units: 2, columns: 1 })
  t.is(maps(column, 'maxPool2d_3'), '[null, 1, 1, 256]')
  using fewest = models.alexNet({ inputShape: [15, 15, 1], classes: 2, units: 2, smallImages: true })
  t.is(maps(fewest, 'maxPool2d_3'), '[null, 1, 1, 256]')
})

test('the stride of a bottleneck is in its 3 × 3 convolution, and shortcuts are convolutions of 1 × 1', (t) => {
  using net = withZeros(() => models.resNet50({ inputShape: [64, 64, 3], classes: 2 }))
  const lines: string[] = []
  net.summary((line) => lines.push(line))
  const shape = (name: string) => /\[.*?\]/.exec(lines.find((line) => line.includes(` ${name} (`))!)![0]
  t.is(shape('stage2_block1_1_conv'), '[null, 16, 16, 128]')
  t.is(shape('stage2_block1_2_conv'), '[null, 8, 8, 128]')
  t.is(shape('stage2_block1_3_conv'), '[null, 8, 8, 512]')
  const shortcuts = net.layers.filter(({ name }) => name.endsWith('shortcut_conv'))
  t.deepEqual(
    shortcuts.map(({ weights }) => weights[0]!.shape),
    [
      [1, 1, 64, 256],
      [1, 1, 256, 512],
      [1, 1, 512, 1024],
      [1, 1, 1024, 2048],
    ],
  )
  using basic = withZeros(() => models.resNet18({ inputShape: [64, 64, 3], classes: 2 }))
  t.is(basic.layers.filter(({ name }) => name.endsWith('shortcut_conv')).length, 3)
})

test('residual networks have the published numbers of parameters', (t) => {
  for (const [kind, count] of [
    ['resNet18', 11_689_512],
    ['resNet34', 21_797_672],
    ['resNet50', 25_557_032],
  ] as const) {
    using net = withZeros(() => models[kind]({ inputShape: [224, 224, 3], classes: 1000 }))
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
      () => models.vgg11({ inputShape: [28, 40, 3], classes: 10 }),
      'models.vgg11: images of 28 x 40 are too small: its windows need at least 32 x 32. pad or resize them',
    ],
    [
      () => models.alexNet({ inputShape: [224, 32, 3], classes: 10 }),
      'models.alexNet: images of 224 x 32 are too small: its windows need at least 67 x 67. smallImages: true takes 15 x 15 and more',
    ],
    [
      () => models.alexNet({ inputShape: [14, 15, 3], classes: 10, smallImages: true }),
      'models.alexNet: images of 14 x 15 are too small: its windows need at least 15 x 15. pad or resize them',
    ],
    [
      () => models.alexNet({ inputShape: [32, 32, 3], classes: 10, smallImages: 1 as never }),
      'models.alexNet: smallImages must be true or false. got 1',
    ],
    [
      () => models.alexNet({ inputShape: [62, 63, 3], classes: 10, columns: 1 }),
      'models.alexNet: images of 62 x 63 are too small: its windows need at least 63 x 63. smallImages: true takes 15 x 15 and more',
    ],
    [
      () => models.alexNet({ inputShape: [63, 63, 3], classes: 10, columns: 3 as never }),
      'models.alexNet: columns must be 1 or 2. got 3',
    ],
    [
      () => models.alexNet({ inputShape: [63, 63, 3], classes: 10, columns: 1, groups: 1 }),
      'models.alexNet: groups has no effect with columns: 1, whose convolutions have none',
    ],
    [
      () => models.vgg16({ inputShape: [32, 32], classes: 10 }),
      'conv2d "block1_conv1": the input must have 4 axes (N, H, W, C). got [null, 32, 32]. reshape gives images a channel axis: [N, H, W, 1]',
    ],
    [
      () => models.vgg19({ inputShape: 224 as never, classes: 10 }),
      'sequential: inputShape must be an array of sizes without the batch, such as [28, 28, 1]. got 224',
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
    '  layer (kind)             output shape        activations  parameters    FLOPs',
    '  input                    [null, 28, 28, 1]           784',
    '  conv2d_1 (conv2d)        [null, 28, 28, 6]         4,704         156  258,720',
    '  avgPool2d_1 (avgPool2d)  [null, 14, 14, 6]         1,176           0    4,704',
    '  conv2d_2 (conv2d)        [null, 10, 10, 16]        1,600       2,416  488,000',
    '  avgPool2d_2 (avgPool2d)  [null, 5, 5, 16]            400           0    1,600',
    '  flatten_1 (flatten)      [null, 400]                   0           0        0',
    '  dense_1 (dense)          [null, 120]                 120      48,120   96,600',
    '  dense_2 (dense)          [null, 84]                   84      10,164   20,580',
    '  dense_3 (dense)          [null, 10]                   10         850    1,690',
    'parameters: 61,706 (247 kB), 61,550 trainable, 156 frozen',
    'activations: 8,878 (35.5 kB, 71.0 kB with their gradients) for each example',
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
    '  layer (kind)     output shape  activations  parameters  FLOPs  from',
    '  pixels           [null, 8]               8',
    '  dense_1 (dense)  [null, 8]               8          72    136  pixels',
    '  dense_1 (dense)  [null, 8]               8      shared    136  dense_1',
    '  sum (add)        [null, 8]               8           0      8  dense_1, pixels',
    '  half_1 (half)    [null, 8]               8           0      ?  sum',
    'parameters: 72 (288 B), 72 trainable, 0 frozen',
    'activations: 40 (160 B, 320 B with their gradients) for each example',
    'forward: at least 280 FLOPs for each example',
    'training memory: about 1.15 kB for weights, gradients and moments, and 320 B for each example of a batch',
  ])
  lines.length = 0
  const images = sequential({ inputShape: [null, 8, 1], layers: [layers.conv2d({ filters: 2, kernelSize: 3 })] })
  images.summary((line) => lines.push(line))
  t.deepEqual(lines.slice(3), [
    '  conv2d_1 (conv2d)  [null, null, 6, 2]            ?          20      ?',
    'parameters: 20 (80 B), 20 trainable, 0 frozen',
    'activations: an unknown number for each example',
    'forward: at least 0 FLOPs for each example',
    'training memory: about 320 B for weights, gradients and moments, and an unknown amount for each example of a batch',
  ])
  t.throws(() => net.summary(80 as never), { message: 'model: print must be a function. got 80' })
  // A model inside another counts all its layers; dropout and reshape hand on what they get.
  const inner = sequential({ layers: [layers.dense({ units: 3 }), layers.dense({ units: 2 })] })
  const outer = sequential({
    inputShape: [4],
    layers: [inner, layers.reshape({ targetShape: [2, 1] }), layers.dropout({ rate: 0.5 })],
  })
  lines.length = 0
  outer.summary((line) => lines.push(line))
  t.true(lines.includes('activations: 9 (36 B, 72 B with their gradients) for each example'), lines.join('\n'))
})
