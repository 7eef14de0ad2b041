// What augmentations refuse, and how.

import test from 'ava'
import { augment, ones, tensor } from 'ferrograd'

const xs = ones([2, 8, 6, 3])
const bytes = tensor(new Uint8Array(18), { shape: [1, 3, 2, 3] })
const grey = ones([2, 8, 6, 1])

test('options that cannot be are refused at once', (t) => {
  const cases: [() => unknown, string][] = [
    [
      () => augment.horizontalFlip({ probability: 1.5 }),
      'augment.horizontalFlip: probability must be from 0 to 1. got 1.5',
    ],
    [
      () => augment.verticalFlip({ probability: '1' } as never),
      'augment.verticalFlip: probability must be a number. got "1"',
    ],
    [
      () => augment.horizontalFlip({ p: 1 } as never),
      'augment.horizontalFlip: there is no option p (got 1). valid are probability',
    ],
    [
      () => augment.randomCrop({}),
      'augment.randomCrop: needs size, padding or both. without them every window is the whole image',
    ],
    [
      () => augment.randomCrop({ size: 0 }),
      'augment.randomCrop: size must be a whole number from 1 to 2^31 - 1. got 0',
    ],
    [() => augment.randomCrop({ padding: -1 }), 'augment.randomCrop: padding must be a whole number from 0. got -1'],
    [
      () => augment.randomCrop({ padding: [1, 2, 3] as never }),
      'augment.randomCrop: padding must be a number, [height, width] or [[top, bottom], [left, right]]. got [1, 2, 3]',
    ],
    [() => augment.randomCrop({ padding: 1, fill: Number.NaN }), 'augment.randomCrop: fill must be finite. got NaN'],
    [
      () => augment.randomCrop({ padding: 1, fill: 'black' } as never),
      'augment.randomCrop: fill must be a number or one for each channel. got "black"',
    ],
    [() => augment.resizedCrop({ scale: [0, 1] }), 'augment.resizedCrop: scale (min) must be above 0. got 0'],
    [
      () => augment.resizedCrop({ scale: [0.5, 2] }),
      'augment.resizedCrop: scale must be shares of the area, up to 1. got [0.5, 2]',
    ],
    [
      () => augment.resizedCrop({ ratio: [2, 1] }),
      'augment.resizedCrop: ratio must be a pair [min, max] with min ≤ max. got [2, 1]',
    ],
    [() => augment.resizedCrop({ ratio: 2 as never }), 'augment.resizedCrop: ratio must be a pair [min, max]. got 2'],
    [() => augment.rotation({} as never), 'augment.rotation: degrees must be a number. got undefined'],
    [() => augment.rotation({ degrees: -5 }), 'augment.rotation: degrees must be above 0. got -5'],
    [
      () => augment.rotation({ degrees: [1, Infinity] }),
      'augment.rotation: degrees (max) must be finite. got Infinity',
    ],
    [
      () => augment.colorJitter({}),
      'augment.colorJitter: needs brightness, contrast, saturation or hue. without them nothing changes',
    ],
    [() => augment.colorJitter({ brightness: -1 }), 'augment.colorJitter: brightness must be 0 or more. got -1'],
    [() => augment.colorJitter({ contrast: [-1, 1] }), 'augment.colorJitter: contrast (min) must be 0 or more. got -1'],
    [
      () => augment.colorJitter({ hue: 0.6 }),
      'augment.colorJitter: hue must be within half a turn, from -0.5 to 0.5. got 0.6',
    ],
    [() => augment.cutout({} as never), 'augment.cutout: size must be a whole number from 1. got undefined'],
    [
      () => augment.randomErasing({ scale: [0.1, 1.1] }),
      'augment.randomErasing: scale must be shares of the area, up to 1. got [0.1, 1.1]',
    ],
    [
      () => augment.compose(augment.horizontalFlip() as never),
      'augment.compose: expects an array of augmentations. got a Flip',
    ],
    [
      () => augment.compose([augment.horizontalFlip] as never),
      'augment.compose: step 0 must be an augmentation, such as augment.horizontalFlip(). got function horizontalFlip',
    ],
  ]
  for (const [fn, message] of cases) t.throws(fn, { message })
})

test('batches that do not fit are refused', (t) => {
  const flip = augment.horizontalFlip()
  const cases: [() => unknown, string][] = [
    [() => flip.apply(xs as never), 'augment.horizontalFlip: the batch must be { xs, ys } or { xs }. got a Tensor'],
    [
      () => flip.apply({ xs: 1 } as never),
      'augment.horizontalFlip: xs must be a Tensor. got 1. make one with tensor(values)',
    ],
    [
      () => flip.apply({ xs, ys: [1] } as never),
      'augment.horizontalFlip: ys must be a Tensor. got [1]. make one with tensor(values)',
    ],
    [
      () => flip.apply({ xs: ones([8, 6]) }),
      'augment.horizontalFlip: xs must be images, [samples, height, width, channels]. got [8, 6]. give it all four axes: reshape(xs, [samples, height, width, channels])',
    ],
    [
      () => flip.apply({ xs: ones([2, 0, 6, 3]) }),
      'augment.horizontalFlip: the images have no pixels. images [2, 0, 6, 3] (N, H, W, C)',
    ],
    [
      () => flip.apply({ xs: tensor([[[[1]]]], { dtype: 'int32' }) }),
      "augment.horizontalFlip: xs has dtype int32, but pixels are uint8, float32 or float64. cast it first: cast(xs, { dtype: 'uint8' })",
    ],
    [
      () => flip.apply({ xs }, { sample: [1] } as never),
      'augment.horizontalFlip: there is no option sample (got [1]). valid are seed, samples and pass',
    ],
    [
      () => flip.apply({ xs }, { seed: 0.5 }),
      'augment.horizontalFlip: seed must be a whole number from 0 to 2^53 - 1. got 0.5',
    ],
    [() => flip.apply({ xs }, { pass: -1 }), 'augment.horizontalFlip: pass must be a whole number from 0. got -1'],
    [
      () => flip.apply({ xs }, { samples: [1] }),
      'augment.horizontalFlip: samples has 1 numbers, but the batch has 2 samples. give one for each',
    ],
    [
      () => flip.apply({ xs }, { samples: [1, -2] }),
      'augment.horizontalFlip: samples must be whole numbers from 0. got -2 at position 1',
    ],
    [
      () => flip.apply({ xs }, { samples: 2 as never }),
      'augment.horizontalFlip: samples must be an array with the number of each sample. got 2',
    ],
    [
      () => augment.randomCrop({ size: [12, 5], padding: 1 }).apply({ xs }),
      'augment.randomCrop: a window of [12, 5] does not fit in [10, 8], the image with its padding. images [2, 8, 6, 3] (N, H, W, C). use a smaller size or more padding',
    ],
    [
      () => augment.randomCrop({ padding: 1, fill: [0, 1] }).apply({ xs }),
      'augment.randomCrop: fill has 2 numbers, but the images have 3 channels. images [2, 8, 6, 3] (N, H, W, C). give one for each channel or a single number',
    ],
    [
      () => augment.rotation({ degrees: 5, fill: 0.5 }).apply({ xs: bytes }),
      'augment.rotation: the images are uint8, so fill must be whole numbers from 0 to 255. got 0.5',
    ],
    [
      () => augment.cutout({ size: 5, fill: [0, 0, 256] }).apply({ xs: bytes }),
      'augment.cutout: the images are uint8, so fill must be whole numbers from 0 to 255. got 256',
    ],
    [
      () => augment.colorJitter({ saturation: 0.5 }).apply({ xs: grey }),
      'augment.colorJitter: saturation and hue are of colors, which have 3 channels (red, green, blue), but the images have 1. images [2, 8, 6, 1] (N, H, W, C). leave both out',
    ],
    [
      () => augment.compose([{ apply: () => 3 } as never]).apply({ xs }),
      'augment.compose: step 0: the batch must be { xs, ys } or { xs }. got 3',
    ],
  ]
  for (const [fn, message] of cases) t.throws(fn, { message })
})
