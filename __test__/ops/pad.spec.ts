import test from 'ava'
import { gradCheck, type PadOptions, pad, ShapeError, type Tensor, tensor } from 'ferrograd'
import { numbers, values } from '../helpers/values.js'

test('pad surrounds with a value', async (t) => {
  const x = tensor([
    [1, 2],
    [3, 4],
  ])
  t.deepEqual(
    await pad(x, {
      padding: [
        [1, 0],
        [0, 2],
      ],
    }).array(),
    [
      [0, 0, 0, 0],
      [1, 2, 0, 0],
      [3, 4, 0, 0],
    ],
  )
  t.deepEqual(
    await pad(x, {
      padding: [
        [0, 0],
        [1, 1],
      ],
      value: -1,
    }).array(),
    [
      [-1, 1, 2, -1],
      [-1, 3, 4, -1],
    ],
  )
  t.deepEqual(
    await pad(x, {
      padding: [
        [0, 0],
        [0, 0],
      ],
    }).array(),
    await x.array(),
  )
  t.true(
    (
      (await values(
        pad(x, {
          padding: [
            [0, 0],
            [0, 1],
          ],
          value: Number.NaN,
        }),
      )) as number[]
    )[2]! !== 0,
  )
  t.is(await pad(tensor(5), { padding: [] }).item(), 5)
})

test('pad fills what has no elements', async (t) => {
  t.deepEqual(
    await pad(tensor([], { shape: [0, 2] }), {
      padding: [
        [1, 1],
        [0, 0],
      ],
      value: 7,
    }).array(),
    [
      [7, 7],
      [7, 7],
    ],
  )
  t.deepEqual(
    pad(tensor([], { shape: [0, 2] }), {
      padding: [
        [0, 0],
        [1, 1],
      ],
    }).shape,
    [0, 4],
  )
})

test('pad takes every dtype', async (t) => {
  for (const dtype of ['float32', 'float64', 'int32', 'uint8'] as const) {
    const y = pad(tensor([1, 2], { dtype }), { padding: [[2, 1]], value: 9 })
    t.is(y.dtype, dtype)
    t.deepEqual(await values(y), [9, 9, 1, 2, 9])
  }
})

test('pad has the gradient of finite differences', async (t) => {
  const options: PadOptions = {
    padding: [
      [1, 0],
      [0, 0],
      [2, 1],
    ],
    value: 3,
  }
  t.true((await gradCheck((x) => pad(x, options), [numbers([2, 3, 2])])).passed)
})

test('pad refuses what is no padding', (t) => {
  const x = tensor([[1, 2]])
  t.throws(() => pad(x, { padding: [[1, 1]] }), {
    instanceOf: ShapeError,
    code: 'ERR_SHAPE',
    message: 'pad: padding has 1 pairs, but the input has 2 axes. padding [[1, 1]], input [1, 2]',
  })
  for (const [count, shown] of [
    [-1, '-1'],
    [1.5, '1.5'],
    [Number.NaN, 'NaN'],
    [2 ** 53, '9007199254740992'],
  ] as const) {
    t.throws(
      () =>
        pad(x, {
          padding: [
            [0, 0],
            [count, 0],
          ],
        }),
      {
        instanceOf: RangeError,
        message: `pad: padding must be whole numbers from 0. got [[0, 0], [${shown}, 0]]`,
      },
    )
  }
  t.throws(
    () =>
      pad(x, {
        padding: [
          [0, 0],
          [2 ** 40, 0],
        ],
      }),
    {
      instanceOf: RangeError,
      message: 'pad: a tensor holds at most 2^40 elements. got shape [1, 1099511627778]',
    },
  )
  t.throws(() => pad(x, { padding: [[0, 0], [1]] as unknown as [number, number][] }), {
    instanceOf: TypeError,
    message: 'pad: padding must be an array of [before, after]. got [[0, 0], [1]]',
  })
  t.throws(() => pad(x, { padding: 1 as unknown as [number, number][] }), {
    instanceOf: TypeError,
    message: 'pad: padding must be an array of [before, after]. got 1',
  })
  t.throws(
    () =>
      pad(x, {
        padding: [
          [0, 0],
          [0, 0],
        ],
        value: '0' as unknown as number,
      }),
    {
      instanceOf: TypeError,
      message: 'pad: value must be a number. got "0"',
    },
  )
  t.throws(() => pad(tensor([1], { dtype: 'uint8' }), { padding: [[1, 1]], value: 256 }), {
    instanceOf: RangeError,
    message: 'pad: uint8 holds whole numbers from 0 to 255. got value 256',
  })
  t.throws(() => pad(tensor([1], { dtype: 'int32' }), { padding: [[1, 1]], value: 0.5 }), {
    instanceOf: RangeError,
    message: 'pad: int32 holds whole numbers from -2147483648 to 2147483647. got value 0.5',
  })
  t.throws(() => pad(x, undefined as unknown as PadOptions), {
    instanceOf: TypeError,
    message: 'pad: options must be an object with padding. got undefined',
  })
  t.throws(() => pad(1 as unknown as Tensor, { padding: [] }), {
    message: 'pad: x must be a Tensor. got 1. make one with tensor(values)',
  })
})
