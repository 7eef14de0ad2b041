import test from 'ava'
import { gradients, losses, tensor } from 'ferrograd'
import { runChild } from '../helpers/child.js'
import { testElementLoss } from '../helpers/loss.js'
import { assertNear, values } from '../helpers/values.js'

for (const labelSmoothing of [0, 0.2]) {
  testElementLoss({
    name: 'binaryCrossEntropy',
    title: `binaryCrossEntropy with smoothing ${labelSmoothing}`,
    op: (x, labels, options) => losses.binaryCrossEntropy(x, labels, { ...options, labelSmoothing }),
    reference: (x, label) => {
      const t = label * (1 - labelSmoothing) + labelSmoothing / 2
      const probability = 1 / (1 + Math.exp(-x))
      return -t * Math.log(probability) - (1 - t) * Math.log(1 - probability)
    },
    probabilities: true,
  })
}

test('logits of any size are exact', async (t) => {
  const loss = (x: number, label: number) => losses.binaryCrossEntropy(tensor([x]), tensor([label])).item()
  t.is(await loss(0, 0.5), Math.fround(Math.LN2))
  t.is(await loss(1000, 1), 0)
  t.is(await loss(-1000, 1), 1000)
  t.is(await loss(1000, 0), 1000)
  t.is(await loss(-(2 ** 100), 1), 2 ** 100)
  t.true(Math.abs((await loss(60, 1)) / Math.exp(-60) - 1) < 1e-6)
  const x = tensor([1000, -1000, 0])
  const [dx] = gradients(() => losses.binaryCrossEntropy(x, tensor([0, 1, 1])), [x])
  assertNear(t, await values(dx), [1 / 3, -1 / 3, -1 / 6], 1e-7)
})

test('a smoothing that means nothing is refused', (t) => {
  const x = tensor([1])
  for (const labelSmoothing of [1, -0.1, 2, Number.NaN]) {
    t.throws(() => losses.binaryCrossEntropy(x, x, { labelSmoothing }), {
      instanceOf: RangeError,
      code: 'ERR_OUT_OF_RANGE',
      message: `binaryCrossEntropy: labelSmoothing must be from 0 up to but not including 1. got ${labelSmoothing}`,
    })
  }
})

test('a label that is no probability is found by the stream, which names it', async (t) => {
  for (const [labels, what] of [
    ['[0, 1, 1.5]', 'label 1.5 at element 2 is no probability from 0 to 1'],
    ['[0, -0.25, 1]', 'label -0.25 at element 1 is no probability from 0 to 1'],
    ['[NaN, 0, 1]', 'label NaN at element 0 is no probability from 0 to 1'],
  ]) {
    const { stdout } = await runChild(`
      const loss = f.losses.binaryCrossEntropy(f.zeros([3]), f.tensor(${labels}))
      await loss.item().catch((error) => console.log(error.name, error.code, error.message))`)
    t.is(stdout.trim(), `StreamError ERR_STREAM binaryCrossEntropy failed: ${what}`)
  }
})
