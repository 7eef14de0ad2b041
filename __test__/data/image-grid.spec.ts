import test from 'ava'
import {
  type ImageGridOptions,
  imageGrid,
  memory,
  ShapeError,
  type Tensor,
  tensor,
  transpose,
  variable,
} from 'ferrograd'
import { numbers } from '../helpers/values.js'

/** The grid in plain loops: the rule of the docstring, pixel by pixel. */
async function plainGrid(
  images: Tensor,
  columns: number,
  padding: number,
  range?: [number, number],
): Promise<number[]> {
  const [count, h, w, c] = images.shape as [number, number, number, number]
  const data = Array.from(await images.data(), Number)
  const rows = Math.ceil(count / columns)
  const [height, width] = [rows * (h + padding) - padding, columns * (w + padding) - padding]
  const grid = new Array<number>(height * width * c).fill(0)
  for (let n = 0; n < count; n++) {
    const tile = data.slice(n * h * w * c, (n + 1) * h * w * c)
    const [black, white] = range ?? [Math.min(...tile), Math.max(...tile)]
    tile.forEach((value, i) => {
      const [y, x, channel] = [Math.floor(i / (w * c)), Math.floor(i / c) % w, i % c]
      const row = Math.floor(n / columns) * (h + padding) + y
      const column = (n % columns) * (w + padding) + x
      const share = Math.min(Math.max((value - black) / (white - black), 0), 1)
      grid[(row * width + column) * c + channel] = Math.floor(255 * share + 0.5)
    })
  }
  return grid
}

test('tiles stand row by row, each in its own range', async (t) => {
  for (const [shape, options] of [
    [[5, 3, 4, 3], {}],
    [[7, 2, 3, 1], { columns: 4, padding: 2 }],
    [[1, 4, 2, 4], { padding: 0 }],
    [[6, 1, 5, 2], { columns: 1, padding: 3 }],
    [[3, 2, 2, 3], { columns: 9 }],
  ] as [number[], ImageGridOptions][]) {
    const images = numbers(shape, 3)
    const { columns = Math.ceil(Math.sqrt(shape[0]!)), padding = 1 } = options
    const across = Math.min(columns, shape[0]!)
    const grid = imageGrid(images, options)
    const rows = Math.ceil(shape[0]! / across)
    t.is(grid.dtype, 'uint8')
    t.deepEqual(grid.shape, [
      rows * (shape[1]! + padding) - padding,
      across * (shape[2]! + padding) - padding,
      shape[3]!,
    ])
    t.deepEqual([...(await grid.data())], await plainGrid(images, across, padding))
  }
})

test('a common range, or one that is given', async (t) => {
  const images = numbers([4, 2, 3, 1], 5)
  const all = Array.from(await images.data(), Number)
  const common: [number, number] = [Math.min(...all), Math.max(...all)]
  t.deepEqual([...(await imageGrid(images, { range: 'all' }).data())], await plainGrid(images, 2, 1, common))
  const grid = imageGrid(images, { range: [-0.25, 0.5] })
  t.deepEqual([...(await grid.data())], await plainGrid(images, 2, 1, [-0.25, 0.5]))
  const bytes = tensor(new Uint8Array([0, 100, 255, 7]), { shape: [1, 2, 2, 1] })
  t.deepEqual([...(await imageGrid(bytes, { range: [0, 255] }).data())], [0, 100, 255, 7])
})

test.serial('the filters of a convolution', async (t) => {
  const kernel = variable(tensor([1, 2, 3, 4, 5, 6, 7, 9], { shape: [2, 2, 1, 2] }))
  const before = memory().tensors
  const grid = imageGrid(transpose(kernel, [3, 0, 1, 2]), { padding: 0 })
  t.deepEqual([...(await grid.data())], [0, 85, 0, 73, 170, 255, 146, 255])
  grid.dispose()
  t.is(memory().tensors - before, 1, 'only the transposed kernel is left')
})

test('one value, NaN and infinities are black or white, never an error', async (t) => {
  const one = (values: number[], options?: ImageGridOptions) =>
    imageGrid(tensor(values, { shape: [1, 1, values.length, 1] }), options)
      .data()
      .then((data) => [...data])
  t.deepEqual(await one([3, 3, 3]), [0, 0, 0])
  t.deepEqual(await one([Number.NaN, 1, 2]), [0, 0, 0])
  t.deepEqual(await one([Number.NaN, 1, 2], { range: [1, 2] }), [0, 0, 255])
  t.deepEqual(await one([-Infinity, 0, Infinity], { range: [-1, 1] }), [0, 128, 255])
  t.deepEqual(await one([-3e38, 0, 3e38]), [0, 128, 255])
})

test('what is no grid of images says so', (t) => {
  const images = numbers([2, 3, 3, 1])
  const cases: [() => unknown, string][] = [
    [() => imageGrid([1] as never), 'imageGrid: images must be a Tensor. got [1]. make one with tensor(values)'],
    [
      () => imageGrid(numbers([3, 3, 1])),
      'imageGrid: images must have 4 axes [N, H, W, C], but they have 3. got [3, 3, 1]',
    ],
    [() => imageGrid(numbers([0, 3, 3, 1])), 'imageGrid: there is nothing to show. got [0, 3, 3, 1] (N, H, W, C)'],
    [
      () => imageGrid(numbers([2, 3, 3, 5])),
      'imageGrid: a picture has 1 to 4 channels, but the images have 5. got [2, 3, 3, 5] (N, H, W, C). show each channel as an image of its own: reshape(transpose(images, [0, 3, 1, 2]), [-1, 3, 3, 1])',
    ],
    [
      () => imageGrid(images, { rows: 2 } as never),
      'imageGrid: there is no option rows (got 2). valid are columns, padding and range',
    ],
    [() => imageGrid(images, { columns: 0 }), 'imageGrid: columns must be a whole number from 1. got 0'],
    [() => imageGrid(images, { padding: -1 }), 'imageGrid: padding must be a whole number from 0. got -1'],
    [
      () => imageGrid(images, { range: 'both' as never }),
      "imageGrid: range must be 'tile', 'all' or [black, white]. got \"both\"",
    ],
    [
      () => imageGrid(images, { range: [0, Number.NaN] }),
      "imageGrid: range must be 'tile', 'all' or [black, white]. got [0, NaN]",
    ],
    [() => imageGrid(images, { range: [1, 1] }), 'imageGrid: black must be below white. got range [1, 1]'],
  ]
  for (const [make, message] of cases) t.is(t.throws(make)!.message, message)
  t.throws(() => imageGrid(numbers([2, 3, 3, 5])), { instanceOf: ShapeError, code: 'ERR_SHAPE' })
})
