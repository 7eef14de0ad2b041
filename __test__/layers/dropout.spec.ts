import test from 'ava'
import { backward, layers, ones, sequential, setSeed, sum } from 'ferrograd'

const x = ones([100, 100])

test('dropout only drops while training', async (t) => {
  const layer = layers.dropout({ rate: 0.25, seed: 1 })
  t.is(layer.apply(x), x)
  const data = await layer.apply(x, { training: true }).data()
  const dropped = data.filter((value) => value === 0).length
  // 10,000 draws: the share is within five standard errors.
  t.true(Math.abs(dropped / 1e4 - 0.25) < 5 * Math.sqrt((0.25 * 0.75) / 1e4), String(dropped))
  t.true(data.every((value) => value === 0 || Math.abs(value - 4 / 3) < 1e-6))
  t.is(layers.dropout({ rate: 0 }).apply(x, { training: true }), x)
})

test('every pass has another mask, and the same seed the same masks', async (t) => {
  const masks = async (layer: ReturnType<typeof layers.dropout>) => [
    await layer.apply(x, { training: true }).data(),
    await layer.apply(x, { training: true }).data(),
  ]
  const [a, b] = await masks(layers.dropout({ rate: 0.5, seed: 1 }))
  t.notDeepEqual(a, b)
  t.deepEqual(await masks(layers.dropout({ rate: 0.5, seed: 1 })), [a!, b!])
  const [c, d] = await masks(layers.dropout({ rate: 0.5, seed: 2 }))
  t.notDeepEqual(a, c)
  t.notDeepEqual(b, c)
  t.notDeepEqual(a, d)
})

test.serial('without a seed masks follow setSeed', async (t) => {
  const draw = () => layers.dropout({ rate: 0.5 }).apply(x, { training: true })
  setSeed(1)
  const [a, b] = [draw(), draw()]
  setSeed(1)
  const again = draw()
  t.deepEqual(await again.data(), await a.data())
  t.notDeepEqual(await b.data(), await a.data())
})

test('the gradient passes where numbers did', async (t) => {
  const net = sequential({
    inputShape: [3],
    layers: [
      layers.dense({ units: 50, kernelInitializer: 'zeros', biasInitializer: 'ones' }),
      layers.dropout({ rate: 0.5 }),
    ],
  })
  const y = net.forward(ones([1, 3]), { training: true })
  const gradient = backward(sum(y)).get(net.weights[1]!)
  t.deepEqual(await gradient.data(), await y.data())
})

test('what cannot be is refused', (t) => {
  const cases: [() => unknown, string][] = [
    [() => layers.dropout({} as never), 'dropout: rate must be a number. got undefined'],
    [() => layers.dropout({ rate: 1 }), 'dropout: rate must be below 1: the share that is dropped. got 1'],
    [() => layers.dropout({ rate: -0.1, name: 'd' }), 'dropout "d": rate must be 0 or more. got -0.1'],
    [() => layers.dropout({ rate: 0.5, seed: -1 }), 'dropout: seed must be a whole number from 0 to 2^53 - 1. got -1'],
  ]
  for (const [fn, message] of cases) t.throws(fn, { message })
})
