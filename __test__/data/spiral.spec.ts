import test from 'ava'
import { datasets, setSeed } from 'ferrograd'

test('points stand on the arms', async (t) => {
  const { train } = datasets.spiral({ points: 5, classes: 3, noise: 0, seed: 1 })
  t.deepEqual(train.images.shape, [15, 2])
  t.deepEqual(train.classNames, ['arm 0', 'arm 1', 'arm 2'])
  const points = (await train.images.array()) as [number, number][]
  const labels = await train.labels.data()
  points.forEach(([x, y], i) => {
    const [arm, radius] = [Math.floor(i / 5), (i % 5) / 4]
    const angle = 4 * arm + 4 * radius
    t.is(labels[i], arm)
    t.true(Math.abs(x - radius * Math.sin(angle)) < 1e-6)
    t.true(Math.abs(y - radius * Math.cos(angle)) < 1e-6)
  })
})

test('noise turns points round the centre, by as much as it says', async (t) => {
  const [points, noise] = [4000, 0.2]
  const { train, test: held } = datasets.spiral({ points, classes: 1, noise, seed: 7 })
  const xy = (await train.images.array()) as [number, number][]
  let [sum, squares] = [0, 0]
  xy.forEach(([x, y], i) => {
    const radius = i / (points - 1)
    t.true(Math.abs(Math.hypot(x, y) - radius) < 1e-6)
    if (i === 0) return
    const turned = Math.atan2(x, y) - 4 * radius
    const error = turned - 2 * Math.PI * Math.round(turned / (2 * Math.PI))
    sum += error
    squares += error * error
  })
  t.true(Math.abs(sum / points) < 0.02)
  t.true(Math.abs(Math.sqrt(squares / points) - noise) < 0.01)
  t.notDeepEqual(await held.images.data(), await train.images.data())
})

test('a seed, the option or that of setSeed, gives the same points', async (t) => {
  const draw = async (seed?: number) =>
    (await datasets.spiral({ points: 20, ...(seed === undefined ? {} : { seed }) }).train.images.data()).join()
  t.is(await draw(3), await draw(3))
  t.not(await draw(3), await draw(4))
  setSeed(11)
  const first = await draw()
  t.not(await draw(), first)
  setSeed(11)
  t.is(await draw(), first)
})

test('one point, one class, and wrong options', (t) => {
  t.deepEqual(datasets.spiral({ points: 1, classes: 1 }).train.images.shape, [1, 2])
  t.deepEqual(datasets.spiral().train.images.shape, [300, 2])
  const cases: [object, string][] = [
    [{ points: 0 }, 'datasets.spiral: points must be a whole number from 1. got 0'],
    [{ points: 1.5 }, 'datasets.spiral: points must be a whole number from 1. got 1.5'],
    [{ classes: -1 }, 'datasets.spiral: classes must be a whole number from 1. got -1'],
    [
      { points: 2 ** 20, classes: 2 ** 20 },
      'datasets.spiral: points · classes must be at most 2^24. got 1048576 · 1048576',
    ],
    [{ noise: Number.NaN }, 'datasets.spiral: noise must be 0 or more. got NaN'],
    [{ seed: 2 ** 53 }, 'datasets.spiral: seed must be a whole number from 0 to 2^53 - 1. got 9007199254740992'],
    [{ count: 3 }, 'datasets.spiral: there is no option count (got 3). valid are points, classes, noise and seed'],
  ]
  for (const [options, message] of cases) t.throws(() => datasets.spiral(options), { message })
})
