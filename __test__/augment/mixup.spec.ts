import test from 'ava'
import { augment, gradCheck, losses, oneHot, randomUniform, type Tensor, tensor } from 'ferrograd'
import { beta } from '../../dist/augment/beta.js'
import { assertNear, numbers, values } from '../helpers/values.js'

/** Random numbers from the generator of tensors. */
async function source(seed: number): Promise<{ next(): number }> {
  const numbers = (await randomUniform([400_000], { seed, dtype: 'float64' }).data())[Symbol.iterator]()
  return { next: () => numbers.next().value as number }
}

const indices = (...classes: number[]) => tensor(classes, { dtype: 'int32' })

test('inputs and labels are mixed in the same proportion, everybody with somebody else', async (t) => {
  const count = 50
  // Sample i holds i and its own label, so both can be read off the mixture.
  const xs = oneHot(Int32Array.from(Array(count).keys()), { depth: count })
  const ys = oneHot(Int32Array.from(Array(count).keys()), { depth: count })
  const mixed = augment.mixup({ alpha: 1 }).apply({ xs, ys }, { seed: 1 })
  const [rows, labels] = [(await mixed.xs.array()) as number[][], (await mixed.ys.array()) as number[][]]
  t.deepEqual(rows, labels)
  const partners = new Set<number>()
  rows.forEach((row, i) => {
    assertNear(t, [row.reduce((a, b) => a + b)], [1], 1e-6)
    const others = row.flatMap((v, j) => (v > 0 && j !== i ? [j] : []))
    t.is(others.length, 1, `sample ${i}`)
    partners.add(others[0]!)
  })
  t.is(partners.size, count)
})

test('the mixture depends on who is in the batch, not on their order', async (t) => {
  const mix = augment.mixup({ alpha: 1 })
  const all = numbers([4, 3], 1, 'float32')
  const one = await values(mix.apply({ xs: all, ys: all }, { seed: 1 }).xs)
  const turned = tensor((await values(all)).slice(3).concat((await values(all)).slice(0, 3)), { shape: [4, 3] })
  const other = await values(mix.apply({ xs: turned, ys: turned }, { seed: 1, samples: [1, 2, 3, 0] }).xs)
  t.deepEqual([...other.slice(9), ...other.slice(0, 9)], one)
})

test('class indices become probabilities, which the loss takes', async (t) => {
  const xs = tensor(new Uint8Array([0, 100, 200]), { shape: [3, 1, 1, 1] })
  const mixed = augment.mixup({ alpha: 0.4, classes: 4 }).apply({ xs, ys: indices(0, 1, 3) }, { seed: 2 })
  t.is(mixed.xs.dtype, 'uint8')
  t.is(mixed.ys.dtype, 'float32')
  const rows = (await mixed.ys.array()) as number[][]
  rows.forEach((row, i) => {
    t.is(row.length, 4)
    assertNear(t, [row.reduce((a, b) => a + b)], [1], 1e-6, `row ${i}`)
  })
  const brightness = rows.map((row) => Math.round(100 * row[1]! + 200 * row[3]!))
  t.deepEqual(await values(mixed.xs), brightness)

  const logits = numbers([3, 4], 3, 'float32')
  const loss = await losses.softmaxCrossEntropy(logits, mixed.ys).item()
  const scores = (await logits.array()) as number[][]
  const expected = scores.map((row, i) => {
    const total = Math.log(row.reduce((a, v) => a + Math.exp(v), 0))
    return row.reduce((a, v, j) => a - rows[i]![j]! * (v - total), 0)
  })
  assertNear(t, [loss], [expected.reduce((a, b) => a + b) / 3], 1e-6)
})

test('shares have the mean and the variance of the beta distribution', async (t) => {
  const count = 20_000
  for (const alpha of [0.05, 0.2, 1, 3]) {
    const random = await source(5)
    const shares = Array.from({ length: count }, () => beta(random, alpha))
    t.true(shares.every((v) => v >= 0 && v <= 1))
    const mean = shares.reduce((a, b) => a + b) / count
    const variance = shares.reduce((a, v) => a + (v - 0.5) ** 2, 0) / count
    const wanted = 1 / (4 * (2 * alpha + 1))
    t.true(Math.abs(mean - 0.5) < 5 * Math.sqrt(wanted / count), `mean ${mean} for ${alpha}`)
    t.true(Math.abs(variance - wanted) < (5 * 0.25) / Math.sqrt(count), `variance ${variance} for ${alpha}`)
  }
  // So uneven that every gamma number underflows.
  const random = await source(6)
  const shares = Array.from({ length: 100 }, () => beta(random, 1e-5))
  t.true(shares.every((v) => v < 1e-9 || v > 1 - 1e-9))
})

test('one sample is mixed with itself, and none with nobody', async (t) => {
  const mix = augment.mixup({ classes: 2 })
  const alone = mix.apply({ xs: tensor([[3]]), ys: indices(1) })
  t.deepEqual(await alone.xs.array(), [[3]])
  t.deepEqual(await alone.ys.array(), [[0, 1]])
  t.deepEqual(mix.apply({ xs: tensor([], { shape: [0, 2] }), ys: indices() }).ys.shape, [0, 2])
})

test('the gradient is that of finite differences', async (t) => {
  const mix = augment.mixup({ alpha: 1 })
  const through = (x: Tensor) => mix.apply({ xs: x, ys: tensor([1, 2, 3, 4]) }, { seed: 3 }).xs
  const result = await gradCheck(through, [numbers([4, 3])])
  t.true(result.passed, `${result.perInput}`)
})

test('what cannot be mixed is refused', (t) => {
  const mix = augment.mixup()
  const xs = numbers([2, 3], 1, 'float32')
  const cases: [() => unknown, string][] = [
    [() => augment.mixup({ alpha: 0 }), 'augment.mixup: alpha must be above 0. got 0'],
    [() => augment.mixup({ classes: 1 }), 'augment.mixup: classes must be a whole number from 2. got 1'],
    [
      () => augment.mixup({ lambda: 1 } as never),
      'augment.mixup: there is no option lambda (got 1). valid are alpha and classes',
    ],
    [() => mix.apply({ xs }), 'augment.mixup: the batch needs ys: the labels are mixed like the inputs. got only xs'],
    [
      () => mix.apply({ xs, ys: indices(1, 0) }),
      'augment.mixup: labels that are class indices need classes, how many there are, to be mixed. ys int32 [2]. give mixup({ classes }), or labels as rows of probabilities: oneHot(ys, { depth: classes })',
    ],
    [() => mix.apply({ xs, ys: indices(1) }), 'augment.mixup: there are 2 samples, but 1 labels. xs [2, 3], ys [1]'],
    [
      () => augment.mixup({ classes: 3 }).apply({ xs, ys: indices(1, 3) }),
      'augment.mixup: label 3 (element 1) is no class: classes are numbered from 0 to 2. ys [2]',
    ],
    [() => mix.apply({ xs: tensor(1), ys: tensor(1) }), 'augment.mixup: xs has shape [], so it has no samples'],
    [
      () => mix.apply({ xs: indices(1), ys: tensor([1]) }),
      "augment.mixup: xs has dtype int32, but pixels are uint8, float32 or float64. cast it first: cast(xs, { dtype: 'uint8' })",
    ],
  ]
  for (const [fn, message] of cases) t.throws(fn, { message })
})
