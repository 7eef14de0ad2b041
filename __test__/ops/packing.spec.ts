// Weights that are not being trained are kept in the order that kernels read them: nobody should notice but by the clock.

import { createRequire } from 'node:module'
import test from 'ava'
import {
  backward,
  conv2d,
  matmul,
  memory,
  noGrad,
  optimizers,
  square,
  sum,
  type Tensor,
  tensor,
  variable,
} from 'ferrograd'
import { runChild } from '../helpers/child.js'

const require = createRequire(import.meta.url)
/** The addon itself: the same object that the package calls. */
const native = require('../../native/binding.cjs') as Record<string, (...values: unknown[]) => number>

const size = (shape: readonly number[]): number => shape.reduce((product, dimension) => product * dimension, 1)

/** Numbers without a pattern from -1 to 1. */
function numbers(shape: number[], seed: number): Tensor {
  return tensor(
    Float32Array.from({ length: size(shape) }, (_, i) => Math.sin(12.9898 * (i + 1) + 78.233 * seed)),
    { shape },
  )
}

/** An op of x and a weight that has a packed form. */
interface Case {
  readonly name: string
  readonly x: number[]
  readonly weight: number[]
  readonly op: (x: Tensor, weight: Tensor) => Tensor
}

const bias = { conv: numbers([20], 3), dense: numbers([50], 4) }
const cases: readonly Case[] = [
  {
    name: 'conv2d by tiles',
    x: [2, 12, 12, 16],
    weight: [3, 3, 16, 20],
    op: (x, weight) => conv2d(x, weight, { bias: bias.conv, padding: 'same', activation: 'relu' }),
  },
  {
    name: 'conv2d by direct sums',
    x: [2, 9, 9, 5],
    weight: [3, 3, 5, 20],
    op: (x, weight) => conv2d(x, weight, { stride: 2, bias: bias.conv }),
  },
  {
    name: 'matmul',
    x: [40, 70],
    weight: [70, 50],
    op: (x, weight) => matmul(x, weight, { bias: bias.dense, activation: 'relu' }),
  },
]

for (const { name, x: xShape, weight: weightShape, op } of cases) {
  test.serial(`${name}: the same bits whether packed or not, and new ones when the weight changes`, async (t) => {
    const x = numbers(xShape, 1)
    const weight = variable(numbers(weightShape, 2))
    const run = async () => [...(await noGrad(() => op(x, weight)).data())]
    // Recorded, a weight is never kept packed.
    const first = [...(await op(x, weight).data())]
    for (let i = 0; i < 3; i++) t.deepEqual(await run(), first)

    weight.assign(numbers(weightShape, 5))
    const second = [...(await op(x, weight).data())]
    t.notDeepEqual(second, first)
    for (let i = 0; i < 3; i++) t.deepEqual(await run(), second)

    const gradients = backward(sum(square(op(x, weight))))
    optimizers.sgd({ learningRate: 0.1 }).step(gradients)
    const third = [...(await op(x, weight).data())]
    t.notDeepEqual(third, second)
    for (let i = 0; i < 3; i++) t.deepEqual(await run(), third)
  })

  test.serial(`${name}: batches of other sizes come between`, async (t) => {
    const weight = variable(numbers(weightShape, 2))
    for (const batch of [1, 7, 33, 7, 7, 1, 64, 64, 1, 1]) {
      const x = numbers([batch, ...xShape.slice(1)], batch)
      const expected = [...(await op(x, weight).data())]
      t.deepEqual([...(await noGrad(() => op(x, weight)).data())], expected, `${batch}`)
    }
  })

  test.serial(`${name}: the packed copy counts as bytes, not as a tensor, and goes with the weight`, (t) => {
    const [x, weight] = [numbers(xShape, 1), numbers(weightShape, 2)]
    const before = memory()
    const use = () => noGrad(() => op(x, weight)).dispose()
    use()
    t.deepEqual(memory().bytes, before.bytes, 'used once')
    use()
    const after = memory()
    t.is(after.tensors, before.tensors)
    t.true(after.bytes > before.bytes)
    use()
    t.deepEqual(memory().bytes, after.bytes, 'used again')
    weight.dispose()
    t.is(memory().tensors, before.tensors - 1)
    t.true(memory().bytes < before.bytes)
    x.dispose()
  })

  test.serial(`${name}: changing the weight frees the copy`, (t) => {
    const x = numbers(xShape, 1)
    const weight = variable(numbers(weightShape, 2))
    const next = numbers(weightShape, 3)
    const before = memory().bytes
    for (let i = 0; i < 2; i++) noGrad(() => op(x, weight)).dispose()
    t.true(memory().bytes > before)
    weight.assign(next)
    t.is(memory().bytes, before)
  })
}

test('a gradient through a weight that is not trained is that of one that is', async (t) => {
  for (const { x: xShape, weight: weightShape, op, name } of cases) {
    const x = variable(numbers(xShape, 1))
    const weight = variable(numbers(weightShape, 2))
    const expected = [
      ...(await backward(sum(square(op(x, weight))))
        .get(x)
        .data()),
    ]
    weight.trainable = false
    for (let i = 0; i < 3; i++) {
      t.deepEqual(
        [
          ...(await backward(sum(square(op(x, weight))))
            .get(x)
            .data()),
        ],
        expected,
        name,
      )
    }
  }
})

test('one weight used in two ways keeps what its last way needs', async (t) => {
  const weight = numbers([3, 3, 16, 20], 2)
  const [small, large] = [numbers([1, 8, 8, 16], 1), numbers([1, 30, 30, 16], 1)]
  const run = async (x: Tensor, stride: number) => [...(await conv2d(x, weight, { stride }).data())]
  const expected = [await run(small, 1), await run(large, 2)] as const
  for (const times of [1, 2, 3]) {
    for (let i = 0; i < times; i++) t.deepEqual(await run(small, 1), expected[0])
    for (let i = 0; i < times; i++) t.deepEqual(await run(large, 2), expected[1])
  }
})

for (const [name, take] of [
  ['computed', 'f.zeros([1 << 20])'],
  ['uploaded', 'f.tensor(new Float32Array(1 << 20))'],
]) {
  test(`packed copies are given up before a tensor that is ${name} is refused`, async (t) => {
    const { stdout, stderr, code } = await runChild(
      `
      const w = f.randomNormal([2048, 2048], { seed: 1 })
      const x = f.ones([64, 2048])
      const use = () => f.matmul(x, w)
      const first = await f.sum(use()).item()
      use()
      const packed = f.memory().bytes
      const keep = []
      try {
        for (;;) keep.push(${take})
      } catch (error) {
        console.log(error.name)
      }
      console.log(f.memory().bytes - packed < keep.length * 4 * (1 << 20))
      keep.splice(0, 10).forEach((tensor) => tensor.dispose())
      for (let i = 0; i < 3; i++) console.log(await f.sum(use()).item() === first)
    `,
      { FERROGRAD_MEMORY_LIMIT: String(2 ** 27 + 2 ** 24) },
    )
    t.is(stdout, 'RangeError\ntrue\ntrue\ntrue\ntrue\n', stderr)
    t.is(code, 0)
  })
}

test('the addon refuses packed weights of the wrong size', (t) => {
  const words = Float64Array.of(1, 8, 8, 16, 3, 3, 20, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0)
  const product = Float64Array.of(40, 50, 70, 0, 0, 0)
  const handle = (length: number): number => native.allocate!(0, length)
  const weight = handle(3 * 3 * 16 * 20)
  const found = native.conv2dPackedSize!(words)
  t.true(found > 0)
  t.throws(() => native.conv2dPack!(weight, handle(7), words), {
    message: `ferrograd internal: conv2d: the packed weight has 7 elements, the geometry asks for ${found}`,
  })
  t.throws(() => native.conv2dPack!(handle(9), handle(found), words), {
    message: 'ferrograd internal: conv2d: the weight has 9 elements, the geometry asks for 2880',
  })
  t.throws(() => native.conv2dForwardPacked!(handle(1024), handle(5), 0, handle(1280), false, words), {
    message: `ferrograd internal: conv2d: the packed weight has 5 elements, the geometry asks for ${found}`,
  })
  const wanted = native.matmulPackedSize!(product)
  t.true(wanted > 0)
  t.throws(() => native.matmulPack!(handle(3500), handle(8), product), {
    message: `ferrograd internal: matmul: the packed right factor has 8 elements, the geometry asks for ${wanted}`,
  })
  t.throws(() => native.matmulForwardPacked!(handle(2800), handle(6), 0, handle(2000), false, product), {
    message: `ferrograd internal: matmul: the packed right factor has 6 elements, the geometry asks for ${wanted}`,
  })
})
