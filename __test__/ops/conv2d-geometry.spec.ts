// Every filter size with every stride, padding, dilation and grouping: trainable, and a stack of independent maps.
import test from 'ava'
import { avgPool2d, concat, conv2d, convOutput, gradCheck, maxPool2d, type Tensor, tensor } from 'ferrograd'
import { assertNear, numbers, values } from '../helpers/values.js'

const sizes = [1, 3, 5, 7, 11]

/** What fits into images of `side`, without an error. */
interface Setting {
  kernel: number
  stride: number
  padding: 'valid' | 'same'
  dilation: number
  groups: number
}

const settings: Setting[] = sizes.flatMap((kernel) =>
  [1, 2].flatMap((stride) =>
    (['valid', 'same'] as const).flatMap((padding) =>
      [1, 2, 3].flatMap((dilation) => [1, 2].map((groups) => ({ kernel, stride, padding, dilation, groups }))),
    ),
  ),
)

/** The smallest image on which the filter has two positions, or with 'same' one that it overlaps on all sides. */
const sideOf = ({ kernel, stride, padding, dilation }: Setting): number =>
  padding === 'same' ? 5 : (kernel - 1) * dilation + 1 + stride

for (const kernel of sizes) {
  test(`filters of ${kernel} × ${kernel} learn with every stride, padding, dilation and grouping`, async (t) => {
    const mine = settings.filter((setting) => setting.kernel === kernel)
    t.is(mine.length, 24)
    for (const setting of mine) {
      const { stride, padding, dilation, groups } = setting
      const side = sideOf(setting)
      const [x, weight, bias] = [
        numbers([1, side, side, 2], 1),
        numbers([kernel, kernel, 2 / groups, 2], 2),
        numbers([2], 3),
      ]
      const options = { stride, padding, dilation, groups }
      const { shape } = convOutput({ input: [side, side, 2], filters: 2, kernel, ...options })
      const result = await gradCheck(
        (x, weight, bias) => {
          const y = conv2d(x!, weight!, { bias, ...options })
          t.deepEqual(y.shape, [1, ...shape])
          return y
        },
        [x, weight, bias],
        { samples: 12 },
      )
      t.true(result.passed, `${JSON.stringify(setting)}\n${result}`)
    }
  })
}

test('each filter makes a map of its own, and the maps are stacked in the order of the filters', async (t) => {
  const x = numbers([2, 6, 5, 4], 1)
  for (const groups of [1, 2]) {
    const weight = numbers([3, 3, 4 / groups, 6], 2)
    const options = { padding: 'same', stride: 2 } as const
    const stacked = conv2d(x, weight, { ...options, groups })
    t.deepEqual(stacked.shape, [2, 3, 3, 6])
    const cells = await values(weight)
    const pixels = await values(x)
    const each = 4 / groups
    const maps: Tensor[] = []
    for (let filter = 0; filter < 6; filter++) {
      const first = Math.floor(filter / (6 / groups)) * each
      const one = tensor(Float64Array.from(cells.filter((_, i) => i % 6 === filter)), { shape: [3, 3, each, 1] })
      const seen = pixels.filter((_, i) => i % 4 >= first && i % 4 < first + each)
      maps.push(conv2d(tensor(Float64Array.from(seen), { shape: [2, 6, 5, each] }), one, options))
    }
    assertNear(t, await values(stacked), await values(concat(maps, { axis: -1 })), 1e-14)
  }
})

test('a stack of convolutions and poolings is trainable through to its first filters', async (t) => {
  const x = numbers([1, 9, 9, 2], 1)
  const result = await gradCheck(
    (x, first, second, third) => {
      const maps = maxPool2d(conv2d(x!, first!, { padding: 'same', activation: 'tanh' }), { size: 3, stride: 2 })
      const deeper = conv2d(maps, second!, { groups: 2, dilation: 2, padding: 2, activation: 'softplus' })
      return conv2d(avgPool2d(deeper, { size: 2, padding: 'same' }), third!)
    },
    [x, numbers([3, 3, 2, 4], 2), numbers([3, 3, 2, 4], 3), numbers([1, 1, 4, 3], 4)],
  )
  t.true(result.passed, String(result))
  t.is(result.inputs.length, 4)
})
