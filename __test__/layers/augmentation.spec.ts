// Layers that change images while training.

import test from 'ava'
import { backward, type Layer, layers, ones, sequential, setSeed, sum, tensor } from 'ferrograd'
import { describeModel, modelFrom } from '../../dist/models/architecture.js'
import { numbers, values } from '../helpers/values.js'

const makers: Record<string, (seed?: number) => Layer> = {
  randomFlip: (seed) => layers.randomFlip({ ...(seed !== undefined && { seed }) }),
  randomCrop: (seed) => layers.randomCrop({ padding: 2, ...(seed !== undefined && { seed }) }),
  randomResizedCrop: (seed) => layers.randomResizedCrop({ scale: [0.5, 1], ...(seed !== undefined && { seed }) }),
  randomRotation: (seed) => layers.randomRotation({ degrees: 20, fill: 0.5, ...(seed !== undefined && { seed }) }),
  randomColorJitter: (seed) => layers.randomColorJitter({ brightness: 0.5, ...(seed !== undefined && { seed }) }),
  randomErasing: (seed) => layers.randomErasing({ probability: 1, ...(seed !== undefined && { seed }) }),
  cutout: (seed) => layers.cutout({ size: [2, 3], ...(seed !== undefined && { seed }) }),
}

const x = numbers([6, 8, 7, 3], 1, 'float32')

for (const [kind, make] of Object.entries(makers)) {
  test(`${kind} changes images in training only, keeps the shape and has no weights`, async (t) => {
    const layer = make(1)
    t.is(layer.kind, kind)
    t.is(layer.apply(x), x)
    const changed = layer.apply(x, { training: true })
    t.deepEqual(changed.shape, x.shape)
    t.notDeepEqual(await values(changed), await values(x))
    t.is(layer.weights.length, 0)
  })

  test(`${kind} draws anew in every pass, the same for the same seed`, async (t) => {
    const passes = async (layer: Layer) => [
      await values(layer.apply(x, { training: true })),
      await values(layer.apply(x, { training: true })),
    ]
    const [a, b] = await passes(make(1))
    t.notDeepEqual(a, b)
    t.deepEqual(await passes(make(1)), [a!, b!])
    t.notDeepEqual((await passes(make(2)))[0], a)
  })

  test.serial(`${kind} follows setSeed without a seed`, async (t) => {
    setSeed(3)
    const a = await values(make().apply(x, { training: true }))
    setSeed(3)
    t.deepEqual(await values(make().apply(x, { training: true })), a)
  })

  test(`${kind} is in a file what it was`, async (t) => {
    const net = sequential({ inputShape: [8, 7, 3], layers: [make(5), layers.flatten()] })
    const again = modelFrom(JSON.parse(JSON.stringify(describeModel(net))))
    t.deepEqual(describeModel(again), describeModel(net))
    const forward = async (model: { forward: typeof net.forward }) => values(model.forward(x, { training: true }))
    t.deepEqual(await forward(again as typeof net), await forward(net))
  })
}

test('flips mirror along the axes of their mode', async (t) => {
  const image = tensor([1, 2, 3, 4], { shape: [1, 2, 2, 1] })
  const seen = async (mode: 'horizontal' | 'vertical' | 'horizontalAndVertical') => {
    const layer = layers.randomFlip({ mode, seed: 1 })
    const results = new Set<string>()
    for (let i = 0; i < 60; i++) results.add((await values(layer.apply(image, { training: true }))).join())
    return [...results].sort()
  }
  t.deepEqual(await seen('horizontal'), ['1,2,3,4', '2,1,4,3'])
  t.deepEqual(await seen('vertical'), ['1,2,3,4', '3,4,1,2'])
  t.deepEqual(await seen('horizontalAndVertical'), ['1,2,3,4', '2,1,4,3', '3,4,1,2', '4,3,2,1'])
})

test('crops of another size take the middle in inference', async (t) => {
  const image = tensor([1, 2, 3, 4, 5, 6, 7, 8, 9], { shape: [1, 3, 3, 1] })
  const crop = layers.randomCrop({ size: 1 })
  t.deepEqual(await values(crop.apply(image)), [5])
  t.deepEqual(crop.outputShape([null, 3, 3, 1]), [null, 1, 1, 1])
  t.deepEqual(
    await values(layers.randomCrop({ size: 5, padding: 1 }).apply(image)),
    [0, 0, 0, 0, 0, 0, 1, 2, 3, 0, 0, 4, 5, 6, 0, 0, 7, 8, 9, 0, 0, 0, 0, 0, 0],
  )
  const whole = layers.randomResizedCrop({ size: [1, 3] })
  t.deepEqual(await values(whole.apply(image)), [4, 5, 6])
  t.deepEqual(whole.outputShape([null, null, 3, 1]), [null, 1, 3, 1])
  const net = sequential({ inputShape: [6, 6, 1], layers: [layers.randomCrop({ size: 4 }), layers.flatten()] })
  t.deepEqual(net.outputShape, [null, 16])
})

test('gradients pass, but for colors', (t) => {
  const behind = (layer: Layer) => {
    const net = sequential({ inputShape: [8, 7, 3], layers: [layers.conv2d({ filters: 3, kernelSize: 1 }), layer] })
    return backward(sum(net.forward(x, { training: true }))).get(net.weights[0]!)
  }
  for (const [kind, make] of Object.entries(makers)) {
    if (kind === 'randomColorJitter') continue
    t.deepEqual(behind(make(1)).shape, [1, 1, 3, 3], kind)
  }
  t.throws(() => behind(makers.randomColorJitter!(1)), {
    code: 'ERR_GRADIENT',
    message:
      'randomColorJitter "randomColorJitter_1": has no gradient, but its images depend on a variable. images [6, 8, 7, 3] (N, H, W, C). put it before the layers that learn, or run it inside noGrad(() => …)',
  })
})

test('what cannot be is refused', (t) => {
  const cases: [() => unknown, string][] = [
    [
      () => layers.randomFlip({ mode: 'both' } as never),
      "randomFlip: mode must be 'horizontal', 'vertical' or 'horizontalAndVertical'. got \"both\"",
    ],
    [() => layers.randomRotation({ degrees: 0, name: 'r' }), 'randomRotation "r": degrees must be above 0. got 0'],
    [
      () => layers.randomErasing({ value: 1 } as never),
      'randomErasing: there is no option value (got 1). valid are name, trainable, inputShape, seed, probability, scale, ratio and fill',
    ],
    [() => layers.cutout({ size: 4, seed: -1 }), 'cutout: seed must be a whole number from 0 to 2^53 - 1. got -1'],
    [
      () => layers.randomFlip().apply(ones([2, 3])),
      'randomFlip: the input must have 4 axes (N, H, W, C). got [null, 3]. it is for images',
    ],
    [
      () => sequential({ inputShape: [4, 4, 1], layers: [layers.randomCrop({ size: 5, name: 'cut' })] }),
      'randomCrop "cut": a window of [5, 5] does not fit in [4, 4], the image with its padding. input [null, 4, 4, 1] (N, H, W, C). use a smaller size or more padding',
    ],
    [
      () => sequential({ inputShape: [4, 4, 1], layers: [layers.randomColorJitter({ hue: 0.1, name: 'hue' })] }),
      'randomColorJitter "hue": saturation and hue are of colors, which have 3 channels (red, green, blue), but the images have 1. input [null, 4, 4, 1] (N, H, W, C). leave both out',
    ],
  ]
  for (const [fn, message] of cases) t.throws(fn, { message })
})
