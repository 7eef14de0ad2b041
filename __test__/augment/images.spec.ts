// What augmentations do to single images, and how often.

import test from 'ava'
import {
  augment,
  backward,
  gradCheck,
  memory,
  ones,
  scope,
  setSeed,
  sum,
  type Tensor,
  tensor,
  variable,
} from 'ferrograd'
import { numbers, values } from '../helpers/values.js'

/** An image whose pixels all differ: 1, 2, 3 … */
function ramp(samples: number, height: number, width: number, channels = 1): Tensor {
  const size = height * width * channels
  const pixels = Float32Array.from({ length: samples * size }, (_, i) => (i % size) + 1)
  return tensor(pixels, { shape: [samples, height, width, channels] })
}

const bytes = (pixels: number[], shape: number[]) => tensor(Uint8Array.from(pixels), { shape })

/** Asserts that a share of `count` draws is what it should be, within five standard errors. */
function isShare(found: number, count: number, share: number): boolean {
  return Math.abs(found / count - share) <= 5 * Math.sqrt((share * (1 - share)) / count)
}

test('flips mirror, exactly and in every dtype', async (t) => {
  const always = { probability: 1 }
  const pixels = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
  for (const dtype of ['uint8', 'float32', 'float64'] as const) {
    const xs = tensor(pixels, { shape: [1, 2, 3, 2], dtype })
    const across = augment.horizontalFlip(always).apply({ xs }).xs
    t.is(across.dtype, dtype)
    t.deepEqual(across.shape, xs.shape)
    t.deepEqual(await values(across), [5, 6, 3, 4, 1, 2, 11, 12, 9, 10, 7, 8])
    t.deepEqual(await values(augment.verticalFlip(always).apply({ xs }).xs), [
      ...pixels.slice(6),
      ...pixels.slice(0, 6),
    ])
  }
  const never = augment.horizontalFlip({ probability: 0 })
  t.deepEqual(await values(never.apply({ xs: ramp(3, 1, 2) }).xs), [1, 2, 1, 2, 1, 2])
})

test('flips happen as often as they should', async (t) => {
  const xs = ramp(4000, 1, 2)
  for (const probability of [0.5, 0.1]) {
    const { xs: flipped } = augment.horizontalFlip({ probability }).apply({ xs }, { seed: 1 })
    const count = (await values(flipped)).filter((v, i) => i % 2 === 0 && v === 2).length
    t.true(isShare(count, 4000, probability), `${count} of 4000`)
  }
})

test('windows stand everywhere equally often and show what is there', async (t) => {
  const xs = ramp(3000, 3, 3)
  const { xs: cut } = augment.randomCrop({ size: 2, padding: [1, 0], fill: -1 }).apply({ xs }, { seed: 2 })
  t.deepEqual(cut.shape, [3000, 2, 2, 1])
  const all = await values(cut)
  const seen = new Map<string, number>()
  for (let i = 0; i < all.length; i += 4) {
    const window = all.slice(i, i + 4).join()
    seen.set(window, (seen.get(window) ?? 0) + 1)
  }
  const rows = [
    [-1, -1, -1],
    [1, 2, 3],
    [4, 5, 6],
    [7, 8, 9],
    [-1, -1, -1],
  ]
  const possible = [0, 1, 2, 3].flatMap((r) =>
    [0, 1].map((c) => [...rows[r]!.slice(c, c + 2), ...rows[r + 1]!.slice(c, c + 2)].join()),
  )
  t.deepEqual([...seen.keys()].sort(), possible.sort())
  for (const [window, count] of seen) t.true(isShare(count, 3000, 1 / 8), `${window}: ${count}`)
})

test('a window may be exactly as large as the image, and padding may have four sides', async (t) => {
  const xs = bytes([1, 2, 3, 4], [1, 2, 2, 1])
  t.deepEqual(await values(augment.randomCrop({ size: [2, 2] }).apply({ xs }).xs), [1, 2, 3, 4])
  const corner = augment.randomCrop({
    size: 3,
    padding: [
      [1, 0],
      [0, 1],
    ],
    fill: [9],
  })
  t.deepEqual(await values(corner.apply({ xs }).xs), [9, 9, 9, 1, 2, 9, 3, 4, 9])
})

test('parts have the area and the shape that they should', async (t) => {
  // A plane whose value says where it was read: resized to one pixel, it is read in the middle of the part.
  const [height, width] = [40, 60]
  const plane = Float32Array.from({ length: height * width * 2 }, (_, i) =>
    i % 2 === 0 ? Math.floor(i / 2 / width) + 0.5 : (Math.floor(i / 2) % width) + 0.5,
  )
  const xs = tensor(plane, { shape: [1, height, width, 2] })
  const crop = augment.resizedCrop({ size: 2, scale: [0.25, 0.5], ratio: [0.5, 2] })
  for (let seed = 0; seed < 200; seed++) {
    // Two pixels across: a quarter and three quarters of the way through the part.
    const [y0, x0, , x1, y1] = (await values(crop.apply({ xs }, { seed }).xs)) as [
      number,
      number,
      number,
      number,
      number,
    ]
    const [rows, columns] = [2 * (y1 - y0), 2 * (x1 - x0)]
    const share = (rows * columns) / (height * width)
    t.true(share > 0.24 && share < 0.52, `area ${share}`)
    t.true(columns / rows > 0.47 && columns / rows < 2.1, `ratio ${columns / rows}`)
    t.true(y0 - rows / 4 > -1e-3 && y0 + (3 * rows) / 4 < height + 1e-3)
    t.true(x0 - columns / 4 > -1e-3 && x0 + (3 * columns) / 4 < width + 1e-3)
  }
})

test('a part that cannot fit is the middle of the image', async (t) => {
  const square = augment.resizedCrop({ size: 1, scale: [1, 1], ratio: [1, 1] })
  t.deepEqual(await values(square.apply({ xs: ramp(1, 1, 5) }).xs), [3])
  t.deepEqual(await values(square.apply({ xs: ramp(1, 1, 1) }).xs), [1])
  const thin = augment.resizedCrop({ scale: [1e-9, 1e-9], ratio: [1, 1] })
  t.deepEqual(thin.apply({ xs: ramp(1, 3, 2) }).xs.shape, [1, 3, 2, 1])
})

test('images turn about their centre, exactly by right angles', async (t) => {
  const turn = (degrees: number, xs: Tensor) =>
    values(augment.rotation({ degrees: [degrees, degrees] }).apply({ xs }).xs)
  const xs = bytes([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 3, 3, 1])
  t.deepEqual(await turn(90, xs), [3, 6, 9, 2, 5, 8, 1, 4, 7])
  t.deepEqual(await turn(-90, xs), [7, 4, 1, 8, 5, 2, 9, 6, 3])
  t.deepEqual(await turn(180, xs), [9, 8, 7, 6, 5, 4, 3, 2, 1])
  t.deepEqual(await turn(720, xs), [1, 2, 3, 4, 5, 6, 7, 8, 9])
  const { xs: flat } = augment
    .rotation({ degrees: 45, fill: 7 })
    .apply({ xs: bytes(new Array(400).fill(7), [1, 20, 20, 1]) })
  t.true((await values(flat)).every((v) => v === 7))
})

test('angles are spread evenly over their range', async (t) => {
  // A dot to the right of the centre: where it goes says by how much the image turned.
  const size = 65
  const dot = new Float32Array(size * size)
  dot[32 * size + 62] = 1
  const xs = tensor(dot, { shape: [1, size, size, 1] })
  const turn = augment.rotation({ degrees: 30 })
  let [positive, steep] = [0, 0]
  for (let seed = 0; seed < 400; seed++) {
    const pixels = await turn.apply({ xs }, { seed }).xs.data()
    let [x, y, mass] = [0, 0, 0]
    pixels.forEach((v, i) => {
      x += v * ((i % size) - 32)
      y -= v * (Math.floor(i / size) - 32)
      mass += v
    })
    const degrees = (Math.atan2(y / mass, x / mass) / Math.PI) * 180
    t.true(Math.abs(degrees) < 31, String(degrees))
    if (degrees > 0) positive++
    if (Math.abs(degrees) > 15) steep++
  }
  t.true(isShare(positive, 400, 0.5), String(positive))
  t.true(isShare(steep, 400, 0.5), String(steep))
})

test('colors change by factors from the range, and uint8 like floats', async (t) => {
  const xs = ones([4000, 1, 1, 1])
  const { xs: dark } = augment.colorJitter({ brightness: [0.2, 0.6] }).apply({ xs }, { seed: 3 })
  const factors = await values(dark)
  t.true(factors.every((v) => v >= 0.2 && v <= 0.6))
  const mean = factors.reduce((a, b) => a + b) / 4000
  t.true(Math.abs(mean - 0.4) < (5 * 0.4) / Math.sqrt(12 * 4000), String(mean))

  const all = { brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1 }
  const pixels = Array.from({ length: 300 }, (_, i) => (i * 89) % 256)
  const whole = augment.colorJitter(all).apply({ xs: bytes(pixels, [4, 5, 5, 3]) }, { seed: 4 }).xs
  const floats = tensor(
    pixels.map((v) => v / 255),
    { shape: [4, 5, 5, 3] },
  )
  const exact = await values(augment.colorJitter(all).apply({ xs: floats }, { seed: 4 }).xs)
  t.deepEqual(
    await values(whole),
    exact.map((v) => Math.round(v * 255)),
  )
})

test('grey images have brightness and contrast', async (t) => {
  const xs = tensor([0.2, 0.4], { shape: [1, 1, 2, 1] })
  const [a, b] = (await values(augment.colorJitter({ contrast: [0.5, 0.5] }).apply({ xs }).xs)) as [number, number]
  t.true(Math.abs(a - 0.25) < 1e-6 && Math.abs(b - 0.35) < 1e-6)
})

test('cutout blanks a square around any pixel, of which the border may cut off a part', async (t) => {
  const { xs } = augment.cutout({ size: 3, fill: -1 }).apply({ xs: ones([2000, 4, 4, 1]) }, { seed: 5 })
  const all = await values(xs)
  const areas = new Map<number, number>()
  for (let i = 0; i < all.length; i += 16) {
    const area = all.slice(i, i + 16).filter((v) => v === -1).length
    areas.set(area, (areas.get(area) ?? 0) + 1)
  }
  // Around a corner 2 × 2, along an edge 2 × 3, else 3 × 3.
  t.deepEqual(
    [...areas.keys()].sort((a, b) => a - b),
    [4, 6, 9],
  )
  t.true(isShare(areas.get(4)!, 2000, 1 / 4))
  t.true(isShare(areas.get(6)!, 2000, 1 / 2))
  const seldom = augment.cutout({ size: 1, probability: 0.25 }).apply({ xs: ones([4000, 1, 1, 1]) }, { seed: 6 })
  t.true(isShare(await sum(seldom.xs).item(), 4000, 0.75))
})

test('erased rectangles have the area that they should and are within the image', async (t) => {
  const count = 1000
  const xs = ones([count, 20, 30, 2])
  const erasing = augment.randomErasing({ scale: [0.1, 0.2], ratio: [0.5, 2], fill: [5, 6] })
  const all = await values(erasing.apply({ xs }, { seed: 7 }).xs)
  let changed = 0
  for (let n = 0; n < count; n++) {
    const pixels = all.slice(n * 1200, (n + 1) * 1200)
    const area = pixels.filter((v) => v === 5).length
    t.is(pixels.filter((v) => v === 6).length, area)
    if (area === 0) continue
    changed++
    t.true(area / 600 > 0.085 && area / 600 < 0.215, String(area))
  }
  t.true(isShare(changed, count, 0.5), String(changed))
  const never = augment.randomErasing({ probability: 1, scale: [1, 1], ratio: [9, 9] }).apply({ xs })
  t.is(await sum(never.xs).item(), 1_200_000)
})

test('gradients are those of finite differences', async (t) => {
  const steps = [
    augment.horizontalFlip(),
    augment.verticalFlip(),
    augment.randomCrop({ size: [3, 4], padding: 2, fill: 1 }),
    augment.compose([augment.randomCrop({ padding: 1 }), augment.horizontalFlip(), augment.verticalFlip()]),
    augment.resizedCrop({ size: [3, 2] }),
    augment.rotation({ degrees: 40, fill: 2 }),
    augment.cutout({ size: 2 }),
    augment.randomErasing({ probability: 1 }),
  ]
  for (const step of steps) {
    for (const seed of [1, 2]) {
      const result = await gradCheck((x) => step.apply({ xs: x }, { seed }).xs, [numbers([3, 4, 5, 2])])
      t.true(result.passed, `${result.perInput}`)
    }
  }
})

test('colors have no gradient, and say so', (t) => {
  const xs = variable(ones([1, 2, 2, 3]))
  t.throws(() => augment.colorJitter({ hue: 0.1 }).apply({ xs }), {
    code: 'ERR_GRADIENT',
    message:
      'augment.colorJitter: has no gradient, but its images depend on a variable. images [1, 2, 2, 3] (N, H, W, C). put it before the layers that learn, or run it inside noGrad(() => …)',
  })
  const flipped = augment.horizontalFlip().apply({ xs }).xs
  t.deepEqual(backward(sum(flipped)).get(xs).shape, [1, 2, 2, 3])
})

test.serial('no samples stay none, and nothing is left behind', async (t) => {
  const empty = tensor([], { shape: [0, 5, 4, 3], dtype: 'uint8' })
  const every = augment.compose([
    augment.horizontalFlip(),
    augment.randomCrop({ padding: 1 }),
    augment.resizedCrop(),
    augment.rotation({ degrees: 10 }),
    augment.colorJitter({ brightness: 0.1, hue: 0.1 }),
    augment.cutout({ size: 2 }),
    augment.randomErasing(),
  ])
  t.deepEqual(every.apply({ xs: empty }).xs.shape, [0, 5, 4, 3])
  const xs = ones([2, 5, 4, 3])
  const before = memory().tensors
  const { xs: changed } = every.apply({ xs })
  t.is(memory().tensors, before + 1)
  changed.dispose()
  scope(() => {
    every.apply({ xs })
  })
  t.is(memory().tensors, before)
})

test.serial('without a seed the changes follow setSeed', async (t) => {
  const crop = augment.compose([augment.randomCrop({ padding: 3 }), augment.horizontalFlip()])
  const xs = ramp(8, 6, 6)
  setSeed(1)
  const [a, b] = [await values(crop.apply({ xs }).xs), await values(crop.apply({ xs }).xs)]
  setSeed(1)
  t.deepEqual(await values(crop.apply({ xs }).xs), a)
  t.notDeepEqual(a, b)
})
