import test from 'ava'
import { gradCheck, ShapeError, type Tensor, tensor, transpose } from 'ferrograd'
import { numbers, values } from '../helpers/values.js'

test('transpose puts axes in the order asked for', async (t) => {
  const x = tensor([
    [1, 2, 3],
    [4, 5, 6],
  ])
  t.deepEqual(await transpose(x).array(), [
    [1, 4],
    [2, 5],
    [3, 6],
  ])
  t.deepEqual(await transpose(x, [0, 1]).array(), await x.array())
  t.deepEqual(await transpose(x, [-1, -2]).array(), [
    [1, 4],
    [2, 5],
    [3, 6],
  ])
  t.is(await transpose(tensor(7)).item(), 7)
})

test('transpose there and back is the same, for every dtype and many shapes', async (t) => {
  const cases: [number[], number[]][] = [
    [
      [2, 3, 4, 5],
      [3, 1, 0, 2],
    ],
    [
      [4, 8, 8, 3],
      [0, 3, 1, 2],
    ],
    [
      [33, 70],
      [1, 0],
    ],
    [
      [2, 1, 5],
      [2, 1, 0],
    ],
    [
      [3, 0, 2],
      [1, 2, 0],
    ],
  ]
  for (const dtype of ['float32', 'float64', 'int32', 'uint8'] as const) {
    for (const [shape, axes] of cases) {
      const size = shape.reduce((a, b) => a * b, 1)
      const x = tensor(
        Array.from({ length: size }, (_, i) => i % 251),
        { shape, dtype },
      )
      const y = transpose(x, axes)
      t.is(y.dtype, dtype)
      t.deepEqual(
        y.shape,
        axes.map((axis) => shape[axis]!),
      )
      const back = transpose(
        y,
        axes.map((_, i) => axes.indexOf(i)),
      )
      t.deepEqual(await values(back), await values(x))
      if (size > 0) {
        const index = shape.map((dimension) => dimension - 1)
        index[0] = 0
        const at = (of: number[], where: number[]): number => where.reduce((at, i, axis) => at * of[axis]! + i, 0)
        const moved = axes.map((axis) => index[axis]!)
        t.is((await values(y))[at([...y.shape], moved)], (await values(x))[at(shape, index)])
      }
    }
  }
})

test('transpose has the gradient of finite differences', async (t) => {
  const result = await gradCheck((x) => transpose(x, [2, 0, 1]), [numbers([2, 3, 2])])
  t.true(result.passed)
})

test('transpose refuses what names not every axis once', (t) => {
  const x = tensor([
    [1, 2, 3],
    [4, 5, 6],
  ])
  t.throws(() => transpose(x, [0]), {
    instanceOf: ShapeError,
    code: 'ERR_SHAPE',
    message: 'transpose: axes names 1 of 2 axes. axes [0], input [2, 3]. name every axis once',
  })
  t.throws(() => transpose(x, [1, 1]), {
    instanceOf: ShapeError,
    message: 'transpose: axis 1 is named twice. axes [1, 1], input [2, 3]. name every axis once',
  })
  t.throws(() => transpose(x, [0, -2]), {
    instanceOf: ShapeError,
    message: 'transpose: axis 0 is named twice. axes [0, -2], input [2, 3]. name every axis once',
  })
  t.throws(() => transpose(x, [0, 2]), {
    instanceOf: ShapeError,
    message: 'transpose: axis 2 does not exist. the input has 2 axes: use -2 to 1',
  })
  t.throws(() => transpose(x, [0, Number.NaN]), {
    instanceOf: RangeError,
    message: 'transpose: axis must be a whole number. got NaN',
  })
  t.throws(() => transpose(x, 1 as unknown as number[]), {
    instanceOf: TypeError,
    message: 'transpose: axes must be an array of whole numbers. got 1',
  })
  t.throws(() => transpose([[1]] as unknown as Tensor), {
    message: 'transpose: x must be a Tensor. got [[1]]. make one with tensor(values)',
  })
})
