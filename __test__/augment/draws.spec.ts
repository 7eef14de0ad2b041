// The same changes for the same seed, pass and sample, however batches are cut and whatever runs them.

import test from 'ava'
import { augment, gather, oneHot, ones, setThreads, tensor, threads } from 'ferrograd'
import { numbers, values } from '../helpers/values.js'

const every = augment.compose([
  augment.randomCrop({ padding: 2 }),
  augment.horizontalFlip(),
  augment.resizedCrop({ scale: [0.5, 1] }),
  augment.rotation({ degrees: 20 }),
  augment.colorJitter({ brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1 }),
  augment.cutout({ size: 3 }),
  augment.randomErasing(),
])

test('a sample is changed in the same way in whatever batch it is', async (t) => {
  const xs = numbers([10, 9, 8, 3], 1, 'float32')
  const size = 9 * 8 * 3
  const whole = await values(every.apply({ xs }, { seed: 1, pass: 2 }).xs)
  for (const samples of [[3], [9, 0, 4], [7, 7]]) {
    const part = await values(every.apply({ xs: gather(xs, samples) }, { seed: 1, pass: 2, samples }).xs)
    samples.forEach((sample, i) => {
      t.deepEqual(part.slice(i * size, (i + 1) * size), whole.slice(sample * size, (sample + 1) * size))
    })
  }
  t.deepEqual(
    await values(every.apply({ xs }, { seed: 1, pass: 2, samples: Int32Array.from(Array(10).keys()) }).xs),
    whole,
  )
})

test('passes, seeds, samples and steps differ', async (t) => {
  const xs = tensor(
    Float32Array.from({ length: 640 }, (_, i) => i),
    { shape: [10, 8, 8, 1] },
  )
  const crop = augment.randomCrop({ padding: 3 })
  const results = [
    crop.apply({ xs }, { seed: 1 }),
    crop.apply({ xs }, { seed: 2 }),
    crop.apply({ xs }, { seed: 1, pass: 1 }),
    crop.apply({ xs }, { seed: 1, samples: [10, 11, 12, 13, 14, 15, 16, 17, 18, 19] }),
    augment.compose([crop]).apply({ xs }, { seed: 1 }),
    augment.compose([augment.horizontalFlip({ probability: 0 }), crop]).apply({ xs }, { seed: 1 }),
  ]
  const seen = new Set<string>()
  for (const result of results) seen.add(String(await values(result.xs)))
  t.is(seen.size, results.length)
})

test.serial('the number of threads changes no bit', async (t) => {
  const before = threads()
  const xs = numbers([40, 32, 30, 3], 1, 'float32')
  const results: number[][] = []
  try {
    for (const count of [1, 2, 4]) {
      setThreads(count)
      results.push(await values(every.apply({ xs }, { seed: 1 }).xs))
    }
  } finally {
    setThreads(before)
  }
  t.deepEqual(results[1], results[0])
  t.deepEqual(results[2], results[0])
})

test('labels and other parts of a batch pass through', (t) => {
  const ys = oneHot([1, 0], { depth: 2 })
  const batch = { xs: ones([2, 4, 4, 1]), ys, weights: [1, 2] }
  const changed = every.apply({ ...batch, xs: ones([2, 4, 4, 3]) }, { seed: 1 })
  t.is(changed.ys, ys)
  t.deepEqual(changed.weights, [1, 2])
})

test('augmentations of your own compose', async (t) => {
  const half: augment.Augmentation = {
    apply: (batch, options) => {
      t.is(options?.pass, 4)
      t.is(typeof options?.seed, 'number')
      return { ...batch, xs: gather(batch.xs, [1]) }
    },
  }
  const xs = tensor([[1], [2]])
  t.deepEqual(await augment.compose([half]).apply({ xs }, { pass: 4 }).xs.array(), [[2]])
})
