import test from 'ava'
import { gradCheck, ShapeError, type SliceOptions, slice, type Tensor, tensor } from 'ferrograd'
import { numbers, values } from '../helpers/values.js'

test('slice cuts a box out', async (t) => {
  const x = tensor([
    [1, 2, 3],
    [4, 5, 6],
    [7, 8, 9],
  ])
  t.deepEqual(await slice(x, { begin: [1, 0], size: [2, 2] }).array(), [
    [4, 5],
    [7, 8],
  ])
  t.deepEqual(await slice(x, { begin: [0, 2], size: [3, 1] }).array(), [[3], [6], [9]])
  t.deepEqual(await slice(x, { begin: 1 }).array(), [
    [4, 5, 6],
    [7, 8, 9],
  ])
  t.deepEqual(await slice(x, { begin: 1, size: 1 }).array(), [[4, 5, 6]])
  t.deepEqual(await slice(x, { begin: [1, 1], size: [1] }).array(), [[5, 6]])
  t.deepEqual(await slice(x, { begin: [0, 1], size: [-1, -1] }).array(), [
    [2, 3],
    [5, 6],
    [8, 9],
  ])
  t.deepEqual(await slice(x, { begin: [] }).array(), await x.array())
  t.is(await slice(tensor(5), { begin: [] }).item(), 5)
})

test('slice may be empty, at the end too', async (t) => {
  const x = tensor([
    [1, 2, 3],
    [4, 5, 6],
  ])
  t.deepEqual(slice(x, { begin: [0, 1], size: [2, 0] }).shape, [2, 0])
  t.deepEqual(slice(x, { begin: 2 }).shape, [0, 3])
  t.deepEqual(await slice(x, { begin: 2 }).array(), [])
})

test('slice takes every dtype', async (t) => {
  for (const dtype of ['float32', 'float64', 'int32', 'uint8'] as const) {
    const y = slice(tensor([1, 2, 3, 4], { dtype }), { begin: 1, size: 2 })
    t.is(y.dtype, dtype)
    t.deepEqual(await values(y), [2, 3])
  }
})

test('slice has the gradient of finite differences', async (t) => {
  for (const options of [{ begin: [1, 0, 1], size: [1, 2, 2] }, { begin: 1 }, { begin: [0, 1], size: [-1, 0] }]) {
    t.true((await gradCheck((x) => slice(x, options), [numbers([2, 3, 4])])).passed)
  }
})

test('slice refuses boxes that reach beyond, and what is no position', (t) => {
  const x = tensor([
    [1, 2, 3],
    [4, 5, 6],
  ])
  t.throws(() => slice(x, { begin: [1, 0], size: [2, 3] }), {
    instanceOf: ShapeError,
    code: 'ERR_SHAPE',
    message: 'slice: elements 1 to 2 of axis 0 are asked for, but it has 2. input [2, 3], begin [1, 0], size [2, 3]',
  })
  t.throws(() => slice(x, { begin: 3 }), {
    instanceOf: ShapeError,
    message: 'slice: elements 3 to 3 of axis 0 are asked for, but it has 2. input [2, 3], begin [3, 0], size [0, 3]',
  })
  t.throws(() => slice(x, { begin: [0, 0, 0] }), {
    instanceOf: ShapeError,
    message: 'slice: begin has 3 numbers, but the input has 2 axes. begin [0, 0, 0], input [2, 3]',
  })
  t.throws(() => slice(tensor(1), { begin: 0 }), {
    instanceOf: ShapeError,
    message: 'slice: begin has 1 numbers, but the input has 0 axes. begin 0, input []',
  })
  const odd: [number, string][] = [
    [-1, '-1'],
    [0.5, '0.5'],
    [Number.NaN, 'NaN'],
    [2 ** 53, '9007199254740992'],
  ]
  for (const [begin, shown] of odd) {
    t.throws(() => slice(x, { begin }), {
      instanceOf: RangeError,
      message: `slice: begin must be whole numbers from 0. got ${shown}`,
    })
  }
  t.throws(() => slice(x, { begin: 0, size: [1, -2] }), {
    instanceOf: RangeError,
    message: 'slice: size must be whole numbers from -1. got [1, -2]',
  })
  t.throws(() => slice(x, { begin: 0, size: 2 ** 52 }), { instanceOf: ShapeError })
  t.throws(() => slice(x, { begin: ['0'] as unknown as number[] }), {
    instanceOf: TypeError,
    message: 'slice: begin must be a whole number or an array of them. got ["0"]',
  })
  t.throws(() => slice(x, {} as SliceOptions), {
    instanceOf: TypeError,
    message: 'slice: begin must be a whole number or an array of them. got undefined',
  })
  t.throws(() => slice(x, undefined as unknown as SliceOptions), {
    instanceOf: TypeError,
    message: 'slice: options must be an object with begin. got undefined',
  })
  t.throws(() => slice(1 as unknown as Tensor, { begin: 0 }), {
    message: 'slice: x must be a Tensor. got 1. make one with tensor(values)',
  })
})
