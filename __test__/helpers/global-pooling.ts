// What both global poolings must do.

import test from 'ava'
import { DTypeError, gradCheck, gradients, mul, ShapeError, sum, type Tensor, tensor } from 'ferrograd'
import { assertNear, numbers, values } from './values.js'

const shapes = [
  [1, 1, 1, 1],
  [2, 3, 5, 4],
  [3, 7, 7, 33],
  [1, 40, 30, 3],
  [0, 3, 3, 2],
  [2, 3, 3, 0],
] as const

interface Definition {
  name: string
  op: (x: Tensor) => Tensor
  /** The result from the pixels of a channel. */
  forward: (pixels: number[]) => number
  /** The share of dy that a pixel gets. */
  share: (pixel: number, pixels: number[]) => number
}

/** Registers the tests that hold for both. */
export function testGlobalPooling({ name, op, forward, share }: Definition): void {
  for (const dtype of ['float32', 'float64'] as const) {
    test(`${name} is what the definition says, in ${dtype}`, async (t) => {
      for (const shape of shapes) {
        const [n, h, w, c] = shape
        const x = numbers(shape, 1, dtype)
        const cells = await values(x)
        const planes = Array.from({ length: n * c }, (_, to) =>
          cells.filter((_, i) => i % c === to % c && Math.floor(i / (h * w * c)) === Math.floor(to / c)),
        )
        const y = op(x)
        t.deepEqual(y.shape, [n, c])
        assertNear(t, await values(y), planes.map(forward), dtype === 'float32' ? 1e-6 : 1e-14, `${shape}`)
        const dy = numbers([n, c], 2, dtype)
        const [dx] = gradients(() => sum(mul(op(x), dy)), [x])
        const upstream = await values(dy)
        const gradient = cells.map((cell, i) => {
          const to = Math.floor(i / (h * w * c)) * c + (i % c)
          return upstream[to]! * share(cell, planes[to]!)
        })
        assertNear(t, await values(dx), gradient, dtype === 'float32' ? 1e-7 : 1e-14, `gradient ${shape}`)
      }
    })
  }

  test(`${name} has the gradient of finite differences`, async (t) => {
    t.true((await gradCheck(op, [numbers([2, 3, 4, 3])])).passed)
  })

  test(`${name} refuses planes without pixels, other ranks and integers`, (t) => {
    t.throws(() => op(tensor([], { shape: [1, 0, 3, 2] })), {
      instanceOf: ShapeError,
      code: 'ERR_SHAPE',
      message: `${name}: the height of the input is 0. input [1, 0, 3, 2] (N, H, W, C).`,
    })
    t.throws(() => op(tensor([], { shape: [1, 3, 0, 2] })), {
      message: `${name}: the width of the input is 0. input [1, 3, 0, 2] (N, H, W, C).`,
    })
    t.throws(() => op(tensor([[1, 2]])), {
      instanceOf: ShapeError,
      message: `${name}: the input must have 4 axes, not 2. input [1, 2] (N, H, W, C).`,
    })
    t.throws(() => op(tensor([1], { shape: [1, 1, 1, 1], dtype: 'int32' })), {
      instanceOf: DTypeError,
      message: `${name}: x has dtype int32, but the op computes on float32 and float64. cast it first: cast(x, { dtype: 'float32' })`,
    })
  })
}
